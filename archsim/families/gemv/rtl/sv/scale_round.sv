// Multiplies by a ratio m / 2^s and rounds, as the converters of the simulator do (docs/numerics.md, "Integer arithmetic").
// A ratio that is a power of two has m = 1. Modes: 0 even, 1 half up, 2 truncate, 3 ties away from zero (gemmlowp), which
// rounds twice where m is not 1. A negative s shifts to the left. The result is limited to 62 bits.
/* verilator lint_off VARHIDDEN */  // parameters may have the names of the package's constants
module scale_round #(
    parameter int WV = 32
) (
    input  logic signed [WV-1:0] v,
    input  logic        [  30:0] m,
    input  logic signed [   8:0] s,
    input  logic        [   1:0] mode,
    output logic signed [  62:0] y
);  /*verilator no_inline_module*/
  localparam int WI = WV + 33 > 64 ? WV + 33 : 64;
  localparam logic signed [WI-1:0] LIMIT = (WI'(1) << 62) - 1;

  logic signed [WI-1:0] product, first, whole;
  logic [8:0] right, right_first, right_then, left;
  logic twice, over;

  assign product = WI'(v) * WI'($signed({1'b0, m}));
  assign right = s[8] ? 9'd0 : ($unsigned(s) > 9'(WI) ? 9'(WI) : $unsigned(s));
  assign left = s[8] ? 9'(-s) : 9'd0;
  assign twice = mode == 2'd3 && m != 31'd1;
  assign right_first = twice && right > 9'd31 ? 9'd31 : right;
  assign right_then = right - right_first;
  round_shift #(.W(WI)) at_once (.p(product), .right(right_first), .mode(twice ? 2'd1 : mode), .y(first));
  round_shift #(.W(WI)) again (.p(first), .right(right_then), .mode, .y(whole));

  always_comb begin
    over = 1'b0;
    y = 63'(whole);
    if (s[8]) begin
      over = whole > (LIMIT >>> left) || whole < -(LIMIT >>> left);
      y = 63'(whole <<< left);
    end else begin
      over = whole > LIMIT || whole < -LIMIT;
    end
    if (over) y = whole[WI-1] ? -(63'(LIMIT)) : 63'(LIMIT);
  end
endmodule
/* verilator lint_on VARHIDDEN */
