// A look-up table: the nearest entry, or the line between two. Registers behind the table and the multiplier, as far as
// DEPTH goes.
/* verilator lint_off IMPORTSTAR */
import archsim_pkg::*;
/* verilator lint_on IMPORTSTAR */
module table_lane (
    input  logic                 clk,
    input  logic                 rst,
    input  logic signed [AB-1:0] address,
    /* verilator lint_off UNUSEDSIGNAL */  // some fields are for others
    input  archsim_pkg::act_tag_t             t2,
    input  archsim_pkg::act_tag_t             t3,
    /* verilator lint_on UNUSEDSIGNAL */
    output logic signed [  63:0] value
);
  localparam int R3 = ACT_DEPTH >= 3 ? 1 : 0;
  localparam int R4 = ACT_DEPTH >= 4 ? 1 : 0;
  logic [TVB-1:0] entries[0:TABLE_WORDS-1];
  initial $readmemh("tables.hex", entries);

  // x + R in units, x limited to [-R, R]
  logic signed [OFW-1:0] limited, offset, half;
  logic [OFW-1:0] index;
  logic [OFW-1:0] rest, rest_here;
  logic signed [TVB-1:0] low, high, low_here, high_here;
  always_comb begin
    limited = OFW'(address);
    if (limited > OFW'(TABLE_BEYOND)) limited = OFW'(TABLE_BEYOND);
    if (limited < -(OFW'(TABLE_BEYOND))) limited = -(OFW'(TABLE_BEYOND));
    offset = limited <<< TABLE_FINER;
    if (offset > OFW'(TABLE_SPAN)) offset = OFW'(TABLE_SPAN);
    if (offset < -(OFW'(TABLE_SPAN))) offset = -(OFW'(TABLE_SPAN));
    offset = offset + OFW'(TABLE_SPAN);
    half = TABLE_LINEAR || TABLE_REST_BITS == 0 ? '0 : OFW'(1) << (TABLE_REST_BITS > 0 ? TABLE_REST_BITS - 1 : 0);
    index = $unsigned((offset + half) >>> TABLE_REST_BITS);
    if (index > OFW'(TABLE_ENTRIES - 1)) index = OFW'(TABLE_ENTRIES - 1);
    rest = $unsigned(offset) - (index << TABLE_REST_BITS);
    low = entries[TABLE_IW'(t2.function_base)+TABLE_IW'(index)];
    high = entries[TABLE_IW'(t2.function_base)+TABLE_IW'(index)+TABLE_IW'(1)];
  end
  delay #(.W(TVB), .N(R3)) d_low (.clk, .rst, .d(low), .q(low_here));
  delay #(.W(TVB), .N(R3)) d_high (.clk, .rst, .d(high), .q(high_here));
  delay #(.W(OFW), .N(R3)) d_rest (.clk, .rst, .d(rest), .q(rest_here));

  logic signed [63:0] sum;
  if (TABLE_LINEAR) begin : g_linear
    localparam int RISE_BITS = TVB + 1;
    localparam int PW = RISE_BITS + OFW + 1;
    logic signed [PW-1:0] product;
    logic signed [62:0] part;
    assign product = PW'(RISE_BITS'(high_here) - RISE_BITS'(low_here)) * PW'($signed({1'b0, rest_here}));
    scale_round #(.WV(PW), .MB(1)) round (
        .v(product), .m(1'b1), .s(9'(TABLE_REST_BITS)), .mode(t3.target_rounding), .y(part)
    );
    assign sum = 64'(low_here) + 64'(part);
  end else begin : g_nearest
    logic unused;
    assign unused = &{1'b0, high_here, rest_here, t3};
    assign sum = 64'(low_here);
  end
  delay #(.W(64), .N(R4)) d_sum (.clk, .rst, .d(sum), .q(value));
endmodule
