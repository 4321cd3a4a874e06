// Brings a wide integer into W bits: adds the zero point, then saturates or wraps.
/* verilator lint_off VARHIDDEN */  // parameters may have the names of the package's constants
module narrow #(
    parameter int WI = 64,
    parameter int W = 8,
    parameter bit WRAP = 0
) (
    input  logic signed [WI-1:0] v,
    input  logic signed [  15:0] zero,
    output logic signed [ W-1:0] y
);
  localparam int WS = WI + 1 > 17 ? WI + 1 : 17;
  localparam logic signed [WS-1:0] HIGHEST = (WS'(1) << (W - 1)) - 1;
  localparam logic signed [WS-1:0] LOWEST = -(WS'(1) << (W - 1));
  logic signed [WS-1:0] sum;
  assign sum = WS'(v) + WS'(zero);
  always_comb begin
    y = sum[W-1:0];
    if (!WRAP && sum > HIGHEST) y = HIGHEST[W-1:0];
    if (!WRAP && sum < LOWEST) y = LOWEST[W-1:0];
  end
endmodule
/* verilator lint_on VARHIDDEN */
