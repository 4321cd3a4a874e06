// A row of the MAC array: C multipliers and their adder tree.
/* verilator lint_off VARHIDDEN */  // parameters may have the names of the package's constants
module mac_row #(
    parameter int C = 4,
    parameter int WW = 8,
    parameter int VW = 9,
    parameter int MULTIPLIER_LATENCY = 1,
    parameter int ADDER_LATENCY = 1
) (
    input  logic                       clk,
    input  logic                       rst,
    input  logic [           C*WW-1:0] weights,
    input  logic [           C*VW-1:0] vector,
    output logic [WW+VW+$clog2(C)-1:0] sum
);  /*verilator no_inline_module*/
  localparam int P = WW + VW;
  logic [C*P-1:0] products, kept;
  always_comb begin
    for (int c = 0; c < C; c++) begin
      products[c*P+:P] = P'($signed(weights[c*WW+:WW])) * P'($signed(vector[c*VW+:VW]));
    end
  end
  delay #(.W(C * P), .N(MULTIPLIER_LATENCY)) multiplier (.clk, .rst, .d(products), .q(kept));
  adder_tree #(.N(C), .W(P), .LATENCY(ADDER_LATENCY)) tree (.clk, .rst, .terms(kept), .sum);
endmodule
/* verilator lint_on VARHIDDEN */
