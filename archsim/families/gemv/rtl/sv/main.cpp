// Clocks the testbench until the program is finished: main [LAST_CYCLE] [--vcd FILE]
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include "Vtestbench.h"
#include "verilated.h"
#if VM_TRACE
#include "verilated_vcd_c.h"
#endif

int main(int argc, char** argv) {
    const long last = argc > 1 ? std::atol(argv[1]) : 100000000;
    auto context = std::make_unique<VerilatedContext>();
    context->commandArgs(argc, argv);
#if VM_TRACE
    context->traceEverOn(true);
    VerilatedVcdC vcd;
#endif
    auto top = std::make_unique<Vtestbench>(context.get());
#if VM_TRACE
    top->trace(&vcd, 99);
    vcd.open(argc > 3 && !std::strcmp(argv[2], "--vcd") ? argv[3] : "trace.vcd");
#endif
    top->rst = 1;
    long after = 0;
    for (long half = 0; half < 2 * (last + 4); half++) {
        top->clk = half & 1;
        if (half == 4) top->rst = 0;
        if (half > 4 && top->finished && ++after > 4) break;  // the last results are still to be written
        top->eval();
#if VM_TRACE
        vcd.dump(static_cast<uint64_t>(half));
#endif
        context->timeInc(1);
    }
    const bool finished = top->finished;
#if VM_TRACE
    vcd.close();
#endif
    top->final();
    return finished ? 0 : 3;
}
