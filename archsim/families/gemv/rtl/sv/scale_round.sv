// Multiplies N numbers by ratios m / 2^s and rounds, as the converters of the simulator do (docs/numerics.md, "Integer
// arithmetic"). A ratio that is a power of two has m = 1. Modes: 0 even, 1 half up, 2 truncate, 3 ties away from zero
// (gemmlowp), which rounds twice where m is not 1. A negative s shifts to the left. Results are limited to 62 bits.
/* verilator lint_off VARHIDDEN */  // parameters may have the names of the package's constants
module scale_round #(
    parameter int WV = 32,
    parameter int N = 1,
    parameter int MB = 31  // bits of m, which is never negative
) (
    input  logic [N*WV-1:0] v,
    input  logic [N*MB-1:0] m,
    input  logic [ N*9-1:0] s,
    input  logic [     1:0] mode,
    output logic [N*63-1:0] y
);  /*verilator no_inline_module*/
  localparam int WI = WV + MB > 64 ? WV + MB : 64;  // |v m| < 2^(WV - 1 + MB), and still so after rounding
  localparam logic signed [WI-1:0] LIMIT = (WI'(1) << 62) - 1;

  // p / 2^right, rounded: 0 to even, 1 half up, 2 down, 3 ties away from zero
  function automatic logic signed [WI-1:0] shifted(input logic signed [WI-1:0] p, input logic [8:0] right,
                                                   input logic [1:0] rounding);
    logic signed [WI-1:0] twice, floor;
    logic sticky, half, up;
    twice = p >>> (right - 9'd1);
    floor = twice >>> 1;
    half = twice[0];
    sticky = ($unsigned(p) & ((WI'(1) << (right - 9'd1)) - WI'(1))) != '0;
    case (rounding)
      2'd0: up = half & (sticky | floor[0]);
      2'd1: up = half;
      2'd2: up = 1'b0;
      default: up = half & (sticky | ~p[WI-1]);
    endcase
    shifted = right == 9'd0 ? p : floor + WI'(up);
  endfunction

`ifdef SYNTHESIS
  localparam bit APART = 1;  // synthesis works on one number, and not on all of them
`else
  localparam bit APART = 0;  // a simulator keeps the loop
`endif
  if (APART && N > 1) begin : g_apart
    for (genvar i = 0; i < N; i++) begin : g_numbers
      scale_round #(.WV(WV), .MB(MB)) one (
          .v(v[i*WV+:WV]), .m(m[i*MB+:MB]), .s(s[i*9+:9]), .mode, .y(y[i*63+:63])
      );
    end
  end else begin : g_loop
    logic signed [WI-1:0] product, whole;
    logic [MB-1:0] factor;
    logic signed [8:0] shift;
    logic [8:0] right, right_first, left;
    logic twice, over;
    always_comb begin
      for (int i = 0; i < N; i++) begin
        factor = m[i*MB+:MB];
        shift = s[i*9+:9];
        product = WI'($signed(v[i*WV+:WV])) * WI'($signed({1'b0, factor}));
        right = shift[8] ? 9'd0 : ($unsigned(shift) > 9'(WI) ? 9'(WI) : $unsigned(shift));
        left = shift[8] ? 9'(-shift) : 9'd0;
        twice = mode == 2'd3 && factor != MB'(1);
        right_first = twice && right > 9'd31 ? 9'd31 : right;
        whole = shifted(product, right_first, twice ? 2'd1 : mode);
        whole = shifted(whole, right - right_first, mode);
        over = whole > (LIMIT >>> left) || whole < -(LIMIT >>> left);
        y[i*63+:63] = 63'(whole <<< left);
        if (over) y[i*63+:63] = whole[WI-1] ? -(63'(LIMIT)) : 63'(LIMIT);
      end
    end
  end
endmodule
/* verilator lint_on VARHIDDEN */
