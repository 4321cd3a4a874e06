// A memory of lines: LW neighbours are written and one line is read a cycle. The read's address passes a register, as in a
// block memory, so that with LW = 1 synthesis takes one.
/* verilator lint_off VARHIDDEN */  // parameters may have the names of the package's constants
module line_mem #(
    parameter int W = 8,
    parameter int DEPTH = 16,
    parameter int AW = 8,
    parameter int CW = 8,
    parameter int LW = 1
) (
    input  logic            clk,
    input  logic            we,
    input  logic [  AW-1:0] waddr,
    input  logic [  CW-1:0] wcount,
    input  logic [LW*W-1:0] wdata,
    input  logic [  AW-1:0] raddr,
    output logic [   W-1:0] rdata
);
  localparam int IW = DEPTH > 1 ? $clog2(DEPTH) : 1;
  logic [W-1:0] mem[0:DEPTH-1];
  /* verilator lint_off UNUSEDSIGNAL */  // addresses have the width of the largest memory
  logic [AW-1:0] address;
  /* verilator lint_on UNUSEDSIGNAL */

  always_ff @(posedge clk) begin
    if (we) begin
      for (int i = 0; i < LW; i++) begin
        if (CW'(i) < wcount) mem[IW'(waddr+AW'(i))] <= wdata[i*W+:W];
      end
    end
    address <= raddr;
  end
  assign rdata = mem[IW'(address)];
endmodule
/* verilator lint_on VARHIDDEN */
