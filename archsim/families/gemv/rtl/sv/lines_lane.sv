// Line segments: the segment of the address, its slope times the address, converted, and its intercept. Registers behind
// the coefficients and the multiplier, as far as DEPTH goes.
/* verilator lint_off IMPORTSTAR */
import archsim_pkg::*;
/* verilator lint_on IMPORTSTAR */
module lines_lane (
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
  localparam int PW = SLOPE_BITS + AB;
  // a line of a function: {breakpoint before the segment, slope, intercept}
  localparam int LINE_BITS = AB + SLOPE_BITS + 63;
  logic [LINE_BITS-1:0] lines[0:LINE_WORDS-1];
  initial $readmemh("lines.hex", lines);

  logic signed [AB-1:0] limited, limited_here;
  logic [LINE_IW-1:0] segment;
  localparam int COEFFICIENT_BITS = SLOPE_BITS + 63;
  logic [LINE_BITS-1:0] line;
  logic [COEFFICIENT_BITS-1:0] coefficients;
  always_comb begin
    limited = address;
    if (32'(address) > LINES_HIGHEST) limited = AB'(LINES_HIGHEST);
    if (32'(address) < LINES_LOWEST) limited = AB'(LINES_LOWEST);
    segment = LINE_IW'(t2.function_base);
    for (int k = 1; k < SEGMENTS_OF_LINES; k++) begin
      line = lines[LINE_IW'(t2.function_base)+LINE_IW'(k)];
      if ($signed(line[SLOPE_BITS+63+:AB]) <= limited) segment = LINE_IW'(t2.function_base) + LINE_IW'(k);
    end
    line = lines[segment];
  end
  delay #(.W(COEFFICIENT_BITS), .N(R3)) d_line (.clk, .rst, .d(line[COEFFICIENT_BITS-1:0]), .q(coefficients));
  delay #(.W(AB), .N(R3)) d_limited (.clk, .rst, .d(limited), .q(limited_here));

  logic signed [PW-1:0] product;
  logic signed [62:0] part;
  logic signed [63:0] sum;
  assign product = PW'($signed(coefficients[63+:SLOPE_BITS])) * PW'(limited_here);
  scale_round #(.WV(PW)) ratio (.v(product), .m(t3.m2), .s(t3.s2), .mode(t3.target_rounding), .y(part));
  assign sum = 64'(part) + 64'($signed(coefficients[62:0]));
  delay #(.W(64), .N(R4)) d_sum (.clk, .rst, .d(sum), .q(value));
endmodule
