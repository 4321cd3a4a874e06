// The MAC array: a chunk of C inputs a cycle is multiplied with R x C weights, reduced in each row and accumulated; what a
// tile has accumulated passes the converter and is written, or added, to the sums.
// Stages behind the cycle of a beat: fetch register, weight SRAM, multipliers, adder tree, accumulator, converter; the
// last register is that of the sums.
/* verilator lint_off IMPORTSTAR */
import archsim_pkg::*;
/* verilator lint_on IMPORTSTAR */
module mac_array (
    input  logic                    clk,
    input  logic                    rst,
    input  logic [          CW-1:0] beats_left,
    input  logic [      MAC_IW-1:0] op,
    /* verilator lint_off UNUSEDSIGNAL */  // some fields are for others
    input  archsim_pkg::mac_op_t                 f,
    /* verilator lint_on UNUSEDSIGNAL */
    input  logic [          AW-1:0] x_pointer,
    input  logic [          AW-1:0] h_pointer,
    input  logic [          AW-1:0] sums_pointer,
    // operands, read in the cycle behind the fetch register; that of the weights' address is in their memory
    output logic [          AW-1:0] weight_line,
    input  logic [   R*C*WB-1:0]    weight_data,
    output logic [          AW-1:0] x_address,
    input  logic [     C*XB-1:0]    x_data,
    output logic [          AW-1:0] h_address,
    output logic                    h_is_vector,
    input  logic [     C*HB-1:0]    h_data,
    // biases
    output logic [          AW-1:0] bias_line,
    input  logic [    SR*ACB-1:0]   bias_data,
    // sums: read, and written at the end of the same cycle
    output logic                    write,
    output logic [          AW-1:0] write_address,
    output logic [          CW-1:0] write_count,
    output logic [     SR*GB-1:0]   write_data,
    input  logic [     SR*GB-1:0]   old_data,
    output logic                    write_final,
    output logic [      MAC_IW-1:0] write_op
);
  localparam int VW = XB > HB ? XB + 1 : HB + 1;
  localparam int SUM = WB + VW + $clog2(C);
  localparam int TREE_STAGES = $clog2(C) * ADDER_LATENCY;
  localparam int TAG_BITS = MAC_TAG_BITS;
  localparam int LANE_IW = B > 1 ? $clog2(B) : 1;

  // Beats: chunks, and in each chunk the lanes of the batch
  logic beat, first_beat;
  logic [CW-1:0] chunk, chunk_now, lane, lane_now, column, column_now;
  logic [AW-1:0] line, line_now, x_at, x_now, h_at, h_now;
  assign beat = beats_left != '0 && beats_left <= f.beats;
  assign first_beat = beats_left == f.beats;
  assign chunk_now = first_beat ? '0 : chunk;
  assign lane_now = first_beat ? '0 : lane;
  assign column_now = first_beat ? '0 : column;
  assign line_now = first_beat ? f.weight_line : line;
  assign x_now = first_beat ? x_pointer : x_at;
  assign h_now = first_beat ? h_pointer - f.h_back : h_at;

  archsim_pkg::mac_tag_t issued, fetched;
  always_comb begin
    issued = '0;
    issued.valid = beat;
    issued.op = op;
    issued.lane = lane_now;
    issued.first = chunk_now == '0 || chunk_now == f.first_chunks;
    issued.last = chunk_now == f.first_chunks - CW'(1) || chunk_now == f.chunks - CW'(1);
    issued.final_one = chunk_now == f.chunks - CW'(1);
    issued.add = !f.starts || chunk_now >= f.first_chunks;
    issued.bias = f.has_bias && chunk_now == '0;
    issued.bias_line = f.bias_line;
    issued.scale_line = chunk_now >= f.first_chunks ? f.scale_line + AW'(1) : f.scale_line;
    issued.address = sums_pointer + AW'(lane_now);
    issued.count = chunk_now >= f.first_chunks ? f.rows : f.entries;
    issued.column = column_now;
    issued.x_inputs = f.x_inputs;
    issued.x_zero = f.x_zero;
    issued.h_zero = f.h_zero;
  end
  always_ff @(posedge clk) begin
    if (rst) begin
      fetched <= '0;
      x_address <= '0;
      h_address <= '0;
      h_is_vector <= 1'b0;
      {chunk, lane, column, line, x_at, h_at} <= '0;
    end else begin
      fetched <= issued;
      x_address <= x_now;
      h_address <= h_now;
      h_is_vector <= f.h_is_vector;
      if (beat) begin
        if (lane_now == CW'(B - 1)) begin
          lane <= '0;
          chunk <= chunk_now + CW'(1);
          column <= column_now + CW'(C);
          line <= line_now + f.line_step;
          x_at <= x_now + AW'(C * B - (B - 1));
          h_at <= h_now + AW'(C * B - (B - 1));
        end else begin
          lane <= lane_now + CW'(1);
          chunk <= chunk_now;
          column <= column_now;
          line <= line_now;
          x_at <= x_now + AW'(1);
          h_at <= h_now + AW'(1);
        end
      end
    end
  end

  assign weight_line = line_now;

  // Operands: x in the first columns of a tile, h in the others; zero points are taken off
  logic [C*VW-1:0] vector, vector_here;
  always_comb begin
    for (int c = 0; c < C; c++) begin
      if (fetched.column + CW'(c) < fetched.x_inputs) begin
        vector[c*VW+:VW] = VW'($signed(x_data[c*XB+:XB])) - VW'($signed(fetched.x_zero));
      end else begin
        vector[c*VW+:VW] = VW'($signed(h_data[c*HB+:HB])) - VW'($signed(fetched.h_zero));
      end
      if (!fetched.valid) vector[c*VW+:VW] = '0;
    end
  end
  logic [R*C*WB-1:0] weights_here;
  delay #(.W(R * C * WB), .N(WEIGHT_LATENCY)) d_weights (.clk, .rst, .d(weight_data), .q(weights_here));
  delay #(.W(C * VW), .N(WEIGHT_LATENCY)) d_vector (.clk, .rst, .d(vector), .q(vector_here));

  logic [R*SUM-1:0] sums;
  mac_rows #(
      .R(R), .C(C), .WW(WB), .VW(VW), .MULTIPLIER_LATENCY(MULTIPLIER_LATENCY), .ADDER_LATENCY(ADDER_LATENCY)
  ) rows (
      .clk, .weights(weights_here), .vector(vector_here), .sums
  );
  archsim_pkg::mac_tag_t summed;
  delay #(.W(TAG_BITS), .N(WEIGHT_LATENCY + MULTIPLIER_LATENCY + TREE_STAGES)) d_tag (
      .clk, .rst, .d(fetched), .q(summed)
  );

  // Accumulators, one for each row and lane of the batch; rows beyond the array hold a bias alone
  logic [SR*ACB-1:0] accumulators[0:B-1];
  logic [SR*ACB-1:0] kept_sums, accumulated;
  logic [R*63-1:0] chunk_sums;
  logic [SR*64-1:0] next;
  assign bias_line = summed.bias_line;
  assign kept_sums = accumulators[LANE_IW'(summed.lane)];
  if (ACC_SHIFT == 0) begin : g_plain
    always_comb for (int r = 0; r < R; r++) chunk_sums[r*63+:63] = 63'($signed(sums[r*SUM+:SUM]));
  end else begin : g_shift
    scale_round #(.WV(SUM), .N(R), .MB(1)) shift (
        .v(sums), .m({R{1'b1}}), .s({R{9'(ACC_SHIFT)}}), .mode(2'(ACC_ROUNDING)), .y(chunk_sums)
    );
  end
  always_comb begin
    for (int r = 0; r < SR; r++) begin
      next[r*64+:64] = 64'($signed(kept_sums[r*ACB+:ACB]));
      if (summed.first) next[r*64+:64] = summed.bias ? 64'($signed(bias_data[r*ACB+:ACB])) : '0;
      if (r < R) next[r*64+:64] = next[r*64+:64] + 64'($signed(chunk_sums[(r%R)*63+:63]));
    end
  end
  narrow #(.WI(64), .W(ACB), .WRAP(ACC_WRAP), .N(SR)) range (.v(next), .zero(16'd0), .y(accumulated));
  always_ff @(posedge clk) begin
    if (summed.valid) accumulators[LANE_IW'(summed.lane)] <= accumulated;
  end

  // Converter: from the accumulators' scale to that of the sums, row by row
  localparam int CONVERTER_REGISTERS = CONVERTER_STAGES > 1 ? CONVERTER_STAGES - 1 : 0;
  /* verilator lint_off UNUSEDSIGNAL */  // some fields are for others
  archsim_pkg::mac_tag_t complete, result, converted_tag;
  /* verilator lint_on UNUSEDSIGNAL */
  logic [SR*ACB-1:0] complete_sums;
  logic [SR*63-1:0] wide, converted;
  always_comb begin
    complete = summed;
    complete.valid = summed.valid && summed.last;
  end
  delay #(.W(TAG_BITS), .N(CONVERTER_STAGES > 0 ? 1 : 0)) d_complete (.clk, .rst, .d(complete), .q(result));
  delay #(.W(SR * ACB), .N(CONVERTER_STAGES > 0 ? 1 : 0)) d_sums (.clk, .rst, .d(accumulated), .q(complete_sums));
  logic [SR*40-1:0] scales[0:SCALE_LINES-1];
  logic [SR*40-1:0] scale;
  initial $readmemh("scales.hex", scales);
  assign scale = scales[SCALE_IW'(result.scale_line)];
  logic [SR*31-1:0] scale_m;
  logic [SR*9-1:0] scale_s;
  always_comb for (int r = 0; r < SR; r++) {scale_m[r*31+:31], scale_s[r*9+:9]} = scale[r*40+:40];
  scale_round #(.WV(ACB), .N(SR)) ratios (
      .v(complete_sums), .m(scale_m), .s(scale_s), .mode(2'(GATE_ROUNDING)), .y(wide)
  );
  delay #(.W(TAG_BITS), .N(CONVERTER_REGISTERS)) d_converted_tag (.clk, .rst, .d(result), .q(converted_tag));
  delay #(.W(SR * 63), .N(CONVERTER_REGISTERS)) d_converted (.clk, .rst, .d(wide), .q(converted));

  logic [SR*64-1:0] totals;
  always_comb begin
    for (int r = 0; r < SR; r++) begin
      totals[r*64+:64] = 64'($signed(converted[r*63+:63]));
      if (converted_tag.add) totals[r*64+:64] = totals[r*64+:64] + 64'($signed(old_data[r*GB+:GB]));
    end
  end
  narrow #(.WI(64), .W(GB), .WRAP(GATE_WRAP), .N(SR)) write_range (.v(totals), .zero(16'd0), .y(write_data));
  assign write = converted_tag.valid;
  assign write_address = converted_tag.address;
  assign write_count = converted_tag.count;
  assign write_final = converted_tag.final_one;
  assign write_op = converted_tag.op;
endmodule
