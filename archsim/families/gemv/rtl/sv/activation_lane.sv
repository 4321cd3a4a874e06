// One lane of the activation unit: argument, converter to the address format, table or lines, result. Its registers stand
// behind the read of the operand, the address, the table and the multiplier, as far as DEPTH goes; further ones follow.
/* verilator lint_off IMPORTSTAR */
import archsim_pkg::*;
/* verilator lint_on IMPORTSTAR */
module activation_lane (
    input  logic                  clk,
    input  logic                  rst,
    input  logic signed [SVB-1:0] source,
    input  archsim_pkg::act_tag_t              tag,
    output logic        [TVB-1:0] result
);  /*verilator no_inline_module*/
  localparam int R1 = ACT_DEPTH >= 1 ? 1 : 0;
  localparam int R2 = ACT_DEPTH >= 2 ? 1 : 0;
  localparam int R3 = ACT_DEPTH >= 3 ? 1 : 0;
  localparam int R4 = ACT_DEPTH >= 4 ? 1 : 0;
  localparam int REST = ACT_DEPTH > 4 ? ACT_DEPTH - 4 : 0;
  localparam int CLIP_BITS = SVB + 1;
  localparam int OFFSET_BITS = (SVB > 15 ? SVB : 15) + 2;  // the zero point has 16 bits
  localparam int TAG_BITS = ACT_TAG_BITS;

  logic signed [SVB-1:0] x;
  /* verilator lint_off UNUSEDSIGNAL */  // some fields are for others
  archsim_pkg::act_tag_t t1, t2, t3, t4;
  /* verilator lint_on UNUSEDSIGNAL */
  delay #(.W(SVB), .N(R1)) d_source (.clk, .rst, .d(source), .q(x));
  delay #(.W(TAG_BITS), .N(R1)) d_t1 (.clk, .rst, .d(tag), .q(t1));
  delay #(.W(TAG_BITS), .N(R2)) d_t2 (.clk, .rst, .d(t1), .q(t2));
  delay #(.W(TAG_BITS), .N(R3)) d_t3 (.clk, .rst, .d(t2), .q(t3));
  delay #(.W(TAG_BITS), .N(R4)) d_t4 (.clk, .rst, .d(t3), .q(t4));

  // Clip, then into the address format (or, of the identity, into the result's)
  logic signed [SVB:0] clipped;
  logic signed [OFFSET_BITS-1:0] offset;
  logic signed [62:0] address_wide;
  logic signed [AB-1:0] address_now, address;
  logic signed [62:0] identity2, identity3, identity4;
  always_comb begin
    clipped = CLIP_BITS'(x);
    if (t1.clips && clipped > CLIP_BITS'($signed({1'b0, t1.bound}))) clipped = CLIP_BITS'($signed({1'b0, t1.bound}));
    if (t1.clips && clipped < -(CLIP_BITS'($signed({1'b0, t1.bound})))) clipped = -(CLIP_BITS'($signed({1'b0, t1.bound})));
    offset = OFFSET_BITS'(clipped) - OFFSET_BITS'($signed(t1.source_zero));
  end
  scale_round #(.WV(OFFSET_BITS)) to_address (
      .v(offset), .m(t1.m), .s(t1.s), .mode(t1.is_identity ? t1.target_rounding : 2'(ADDRESS_ROUNDING)), .y(address_wide)
  );
  narrow #(.WI(63), .W(AB), .WRAP(ADDRESS_WRAP)) address_range (.v(address_wide), .zero(16'd0), .y(address_now));
  delay #(.W(AB), .N(R2)) d_address (.clk, .rst, .d(address_now), .q(address));
  delay #(.W(63), .N(R2)) d_identity2 (.clk, .rst, .d(address_wide), .q(identity2));
  delay #(.W(63), .N(R3)) d_identity3 (.clk, .rst, .d(identity2), .q(identity3));
  delay #(.W(63), .N(R4)) d_identity4 (.clk, .rst, .d(identity3), .q(identity4));

  logic signed [63:0] value;
  if (METHOD == 0) begin : g_table
    table_lane core (.clk, .rst, .address, .t2, .t3, .value);
  end else begin : g_lines
    lines_lane core (.clk, .rst, .address, .t2, .t3, .value);
  end

  // Into the result's format. Values of tables are codes, zero point included; lines and the identity are not.
  logic signed [63:0] chosen;
  logic signed [15:0] zero;
  logic [FB-1:0] as_activation;
  logic [HB-1:0] as_hidden;
  logic [TVB-1:0] narrowed;
  assign chosen = t4.is_identity ? 64'(identity4) : value;
  assign zero = METHOD == 0 && !t4.is_identity ? 16'd0 : t4.target_zero;
  narrow #(.WI(64), .W(FB), .WRAP(ACTIVATION_WRAP)) n_activation (.v(chosen), .zero(zero), .y(as_activation));
  narrow #(.WI(64), .W(HB), .WRAP(HIDDEN_WRAP)) n_hidden (.v(chosen), .zero(zero), .y(as_hidden));
  assign narrowed = t4.target == 2'd2 ? TVB'($signed(as_hidden)) : TVB'($signed(as_activation));
  delay #(.W(TVB), .N(REST)) d_rest (.clk, .rst, .d(narrowed), .q(result));
endmodule
