// The incrementing pointer of an operand: its address in this repetition, from its start, step, limit and span. Where the
// address reaches the limit, the slots begin anew. Each op has its own, kept from one repetition to the next.
/* verilator lint_off VARHIDDEN */  // parameters may have the names of the package's constants
module pointer #(
    parameter int OPS = 1,
    parameter int IW = 1,
    parameter int AW = 16
) (
    input  logic          clk,
    input  logic          rst,
    input  logic [IW-1:0] op,
    input  logic          start,
    input  logic [AW-1:0] first,
    input  logic [AW-1:0] step,
    input  logic [AW-1:0] limit,
    input  logic [AW-1:0] span,
    output logic [AW-1:0] address
);
  logic [OPS-1:0] seen;
  logic [AW-1:0] kept[0:OPS-1];
  logic [AW-1:0] held, here, sum;
  assign here = seen[op] ? kept[op] : first;
  assign address = start ? here : held;
  assign sum = here + step;
  always_ff @(posedge clk) begin
    if (rst) begin
      seen <= '0;
      held <= '0;
    end else if (start) begin
      seen[op] <= 1'b1;
      held <= here;
      kept[op] <= sum >= limit ? sum - span : sum;
    end
  end
endmodule
/* verilator lint_on VARHIDDEN */
