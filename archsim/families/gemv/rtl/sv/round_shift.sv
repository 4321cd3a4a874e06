// p / 2^right, rounded: 0 to even, 1 half up, 2 down, 3 ties away from zero.
/* verilator lint_off VARHIDDEN */  // parameters may have the names of the package's constants
module round_shift #(
    parameter int W = 64
) (
    input  logic signed [W-1:0] p,
    input  logic        [  8:0] right,
    input  logic        [  1:0] mode,
    output logic signed [W-1:0] y
);
  logic signed [W-1:0] twice, floor;
  logic [W-1:0] below;
  logic sticky, half, up;
  assign twice = p >>> (right - 9'd1);
  assign below = (W'(1) << (right - 9'd1)) - W'(1);
  assign sticky = ($unsigned(p) & below) != '0;
  assign floor = twice >>> 1;
  assign half = twice[0];
  always_comb begin
    case (mode)
      2'd0: up = half & (sticky | floor[0]);
      2'd1: up = half;
      2'd2: up = 1'b0;
      default: up = half & (sticky | ~p[W-1]);
    endcase
    y = right == 9'd0 ? p : floor + W'(up);
  end
endmodule
/* verilator lint_on VARHIDDEN */
