// One lane of the element-wise unit: narrow(a * b + c * d), each product converted to the result's scale on its own; with
// `complement`, one - a instead of a. Registers stand behind the operands and the products, as far as the shorter of the
// two depths goes.
/* verilator lint_off IMPORTSTAR */
import archsim_pkg::*;
/* verilator lint_on IMPORTSTAR */
module elementwise_lane (
    input  logic                  clk,
    input  logic                  rst,
    input  logic signed [ FB-1:0] a,
    input  logic signed [EVB-1:0] b,
    input  logic signed [ FB-1:0] c,
    input  logic signed [EVB-1:0] d,
    input  archsim_pkg::ew_tag_t               tag,
    output logic        [EWB-1:0] result
);  /*verilator no_inline_module*/
  localparam int R1 = EW_COMMON >= 1 ? 1 : 0;
  localparam int R2 = EW_COMMON >= 2 ? 1 : 0;
  localparam int FACTOR_BITS = FB + 2;
  localparam int TAG_BITS = EW_TAG_BITS;
  localparam int PW = FB + EVB + 1;  // |one - a| <= 2^FB, |b - zero| < 2^EVB
  logic signed [FB-1:0] a1, c1;
  logic signed [EVB-1:0] b1, d1;
  /* verilator lint_off UNUSEDSIGNAL */  // some fields are for others
  archsim_pkg::ew_tag_t t1, t2;
  /* verilator lint_on UNUSEDSIGNAL */
  delay #(.W(FB), .N(R1)) d_a (.clk, .rst, .d(a), .q(a1));
  delay #(.W(EVB), .N(R1)) d_b (.clk, .rst, .d(b), .q(b1));
  delay #(.W(FB), .N(R1)) d_c (.clk, .rst, .d(c), .q(c1));
  delay #(.W(EVB), .N(R1)) d_d (.clk, .rst, .d(d), .q(d1));
  delay #(.W(TAG_BITS), .N(R1)) d_t1 (.clk, .rst, .d(tag), .q(t1));
  delay #(.W(TAG_BITS), .N(R2)) d_t2 (.clk, .rst, .d(t1), .q(t2));

  logic signed [FACTOR_BITS-1:0] factor, other;
  logic signed [PW-1:0] first, second, first_here, second_here;
  always_comb begin
    factor = t1.complement ? FACTOR_BITS'($signed({1'b0, t1.one})) - FACTOR_BITS'(a1) : FACTOR_BITS'(a1);
    other = t1.unit_second ? FACTOR_BITS'(1) : FACTOR_BITS'(c1);
    first = PW'(factor) * (PW'(b1) - PW'($signed(t1.b_zero)));
    second = t1.has_second ? PW'(other) * (PW'(d1) - PW'($signed(t1.d_zero))) : '0;
  end
  delay #(.W(PW), .N(R2)) d_first (.clk, .rst, .d(first), .q(first_here));
  delay #(.W(PW), .N(R2)) d_second (.clk, .rst, .d(second), .q(second_here));

  logic signed [62:0] first_wide, second_wide;
  logic signed [63:0] sum;
  logic [CB-1:0] as_cell;
  logic [HB-1:0] as_hidden;
  logic [GB-1:0] as_gate;
  scale_round #(.WV(PW)) s_first (.v(first_here), .m(t2.m1), .s(t2.s1), .mode(t2.target_rounding), .y(first_wide));
  scale_round #(.WV(PW)) s_second (.v(second_here), .m(t2.m2), .s(t2.s2), .mode(t2.target_rounding), .y(second_wide));
  assign sum = 64'(first_wide) + 64'(second_wide);
  narrow #(.WI(64), .W(CB), .WRAP(CELL_WRAP)) n_cell (.v(sum), .zero(t2.target_zero), .y(as_cell));
  narrow #(.WI(64), .W(HB), .WRAP(HIDDEN_WRAP)) n_hidden (.v(sum), .zero(t2.target_zero), .y(as_hidden));
  narrow #(.WI(64), .W(GB), .WRAP(GATE_WRAP)) n_gate (.v(sum), .zero(t2.target_zero), .y(as_gate));
  always_comb begin
    case (t2.target)
      2'd0: result = EWB'($signed(as_cell));
      2'd3: result = EWB'($signed(as_gate));
      default: result = EWB'($signed(as_hidden));
    endcase
  end
endmodule
