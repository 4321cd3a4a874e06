// Multiplies by a ratio m / 2^s and rounds, as the converters of the simulator do (docs/numerics.md, "Conversion").
// A ratio that is a power of two has m = 1. Modes: 0 even, 1 half up, 2 truncate, 3 ties away from zero (gemmlowp), which
// rounds twice where m is not 1. A negative s shifts to the left. The result is limited to 62 bits.
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

  function automatic logic signed [WI-1:0] shifted(input logic signed [WI-1:0] p, input logic [8:0] right,
                                                   input logic [1:0] how);
    logic signed [WI-1:0] h, floor;
    logic sticky, half, up;
    h = p >>> (right - 9'd1);
    sticky = (p & ((WI'(1) << (right - 9'd1)) - WI'(1))) != '0;
    floor = h >>> 1;
    half = h[0];
    case (how)
      2'd0: up = half & (sticky | floor[0]);
      2'd1: up = half;
      2'd2: up = 1'b0;
      default: up = half & (sticky | ~p[WI-1]);
    endcase
    return right == 9'd0 ? p : floor + WI'({1'b0, up});
  endfunction

  logic signed [WI-1:0] product, first, whole;
  logic [8:0] right, right_first, right_then, left;
  logic twice, over;

  assign product = WI'(v) * WI'($signed({1'b0, m}));
  assign right = s[8] ? 9'd0 : ($unsigned(s) > 9'(WI) ? 9'(WI) : $unsigned(s));
  assign left = s[8] ? 9'(-s) : 9'd0;
  assign twice = mode == 2'd3 && m != 31'd1;
  assign right_first = twice && right > 9'd31 ? 9'd31 : right;
  assign right_then = right - right_first;
  assign first = shifted(product, right_first, twice ? 2'd1 : mode);
  assign whole = shifted(first, right_then, mode);

  always_comb begin
    over = 1'b0;
    y = 63'(whole);
    if (s[8]) begin
      over = whole > (LIMIT >>> left) || whole < -(LIMIT >>> left);
      y = 63'(whole <<< left);
    end else begin
      over = whole > LIMIT || whole < -LIMIT;
    end
    if (over) y = whole[WI-1] ? -63'(LIMIT) : 63'(LIMIT);
  end
endmodule
