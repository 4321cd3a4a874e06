// A vector memory: LW neighbours are written and LR neighbours are read a cycle, from any element on, `WSTRIDE` and
// `RSTRIDE` elements apart. Neighbours lie in different banks, so that each bank has one write and one read port. What
// is written at a clock edge is read from that edge on; the read's address passes no register. A macro for synthesis.
/* verilator lint_off VARHIDDEN */  // parameters may have the names of the package's constants
module vec_mem #(
    parameter int W = 8,
    parameter int DEPTH = 16,
    parameter int AW = 8,
    parameter int CW = 8,
    parameter int LW = 1,
    parameter int LR = 1,
    parameter int WSTRIDE = 1,
    parameter int RSTRIDE = 1
) (
    input  logic            clk,
    input  logic            we,
    input  logic [  AW-1:0] waddr,
    input  logic [  CW-1:0] wcount,
    input  logic [LW*W-1:0] wdata,
    input  logic [  AW-1:0] raddr,
    output logic [LR*W-1:0] rdata
);
  localparam int IW = DEPTH > 1 ? $clog2(DEPTH) : 1;
  logic [W-1:0] mem[0:DEPTH-1];

  always_ff @(posedge clk) begin
    if (we) begin
      /*verilator unroll_full*/  // or Verilator keeps a queue of writes for each memory, which takes long to compile
      for (int i = 0; i < LW; i++) begin
        if (CW'(i) < wcount) mem[IW'(waddr+AW'(i*WSTRIDE))] <= wdata[i*W+:W];
      end
    end
  end

  always_comb begin
    for (int i = 0; i < LR; i++) rdata[i*W+:W] = mem[IW'(raddr+AW'(i*RSTRIDE))];
  end
endmodule
/* verilator lint_on VARHIDDEN */
