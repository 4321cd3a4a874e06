// The element-wise unit's datapath: LE lanes. Ops that multiply and add leave them CELL_DEPTH stages behind the beat, those
// that multiply alone HIDDEN_DEPTH stages; the two kinds write different memories.
/* verilator lint_off IMPORTSTAR */
import archsim_pkg::*;
/* verilator lint_on IMPORTSTAR */
module elementwise (
    input  logic              clk,
    input  logic              rst,
    input  logic [    CW-1:0] beats_left,
    input  logic [ EW_IW-1:0] op,
    /* verilator lint_off UNUSEDSIGNAL */  // some fields are for others
    input  archsim_pkg::ew_op_t            f,
    /* verilator lint_on UNUSEDSIGNAL */
    input  logic [    AW-1:0] a_pointer,
    input  logic [    AW-1:0] b_pointer,
    input  logic [    AW-1:0] c_pointer,
    input  logic [    AW-1:0] d_pointer,
    input  logic [    AW-1:0] target_pointer,
    output logic [    AW-1:0] a_address,
    output logic [    AW-1:0] b_address,
    output logic [    AW-1:0] c_address,
    output logic [    AW-1:0] d_address,
    input  logic [LE*FB-1:0]  a_gates,
    input  logic [LE*FB-1:0]  c_gates,
    input  logic [LE*FB-1:0]  further_gates,
    input  logic [LE*CB-1:0]  cell_data,
    input  logic [LE*KB-1:0]  scratch_data,
    input  logic [LE*GB-1:0]  b_sums,
    input  logic [LE*GB-1:0]  d_sums,
    input  logic [LE*HB-1:0]  h_data,
    output logic              add_write,
    output logic              mul_write,
    output logic [       1:0] add_target,
    output logic [       1:0] mul_target,
    output logic [    AW-1:0] add_address,
    output logic [    AW-1:0] mul_address,
    output logic [    CW-1:0] add_count,
    output logic [    CW-1:0] mul_count,
    output logic [LE*EWB-1:0] add_data,
    output logic [LE*EWB-1:0] mul_data,
    output logic [ EW_IW-1:0] add_op,
    output logic [ EW_IW-1:0] mul_op
);
  localparam int TAG_BITS = EW_TAG_BITS;
  logic beat, first_beat;
  logic [CW-1:0] offset, offset_now;
  assign beat = beats_left != '0 && beats_left <= f.beats;
  assign first_beat = beats_left == f.beats;
  assign offset_now = first_beat ? '0 : offset;
  assign a_address = a_pointer + AW'(offset_now);
  assign b_address = b_pointer + AW'(offset_now);
  assign c_address = c_pointer + AW'(offset_now);
  assign d_address = d_pointer + AW'(offset_now);
  always_ff @(posedge clk) begin
    if (rst) offset <= '0;
    else if (beat) offset <= offset_now + CW'(LE);
  end

  /* verilator lint_off UNUSEDSIGNAL */  // some fields are for others
  archsim_pkg::ew_tag_t issued, common, added, multiplied;
  /* verilator lint_on UNUSEDSIGNAL */
  always_comb begin
    issued = '0;
    issued.valid = beat;
    issued.op = op;
    issued.adds = f.adds;
    issued.target = f.target;
    issued.address = target_pointer + AW'(offset_now);
    issued.count = f.values - offset_now > CW'(LE) ? CW'(LE) : f.values - offset_now;
    issued.complement = f.complement;
    issued.unit_second = f.unit_second;
    issued.has_second = f.has_second;
    issued.one = f.one;
    issued.b_zero = f.b_zero;
    issued.d_zero = f.d_zero;
    issued.target_zero = f.target_zero;
    issued.target_rounding = f.target_rounding;
    issued.m1 = f.m1;
    issued.s1 = f.s1;
    issued.m2 = f.m2;
    issued.s2 = f.s2;
  end

  logic [LE*EWB-1:0] results;
  for (genvar i = 0; i < LE; i++) begin : g_lanes
    logic signed [EVB-1:0] b, d;
    always_comb begin
      case (f.b_source)
        3'd0: b = EVB'($signed(cell_data[i*CB+:CB]));
        3'd1: b = EVB'($signed(scratch_data[i*KB+:KB]));
        3'd2: b = EVB'($signed(b_sums[i*GB+:GB]));
        3'd3: b = EVB'($signed(h_data[i*HB+:HB]));
        default: b = EVB'($signed(further_gates[i*FB+:FB]));
      endcase
      case (f.d_source)
        2'd0: d = EVB'($signed(further_gates[i*FB+:FB]));
        2'd1: d = EVB'($signed(d_sums[i*GB+:GB]));
        default: d = EVB'($signed(h_data[i*HB+:HB]));
      endcase
    end
    elementwise_lane lane (
        .clk, .rst, .a(a_gates[i*FB+:FB]), .b, .c(c_gates[i*FB+:FB]), .d, .tag(issued), .result(results[i*EWB+:EWB])
    );
  end
  delay #(.W(TAG_BITS), .N(EW_COMMON)) d_common (.clk, .rst, .d(issued), .q(common));
  delay #(.W(TAG_BITS), .N(CELL_DEPTH - EW_COMMON)) d_added (.clk, .rst, .d(common), .q(added));
  delay #(.W(TAG_BITS), .N(HIDDEN_DEPTH - EW_COMMON)) d_multiplied (.clk, .rst, .d(common), .q(multiplied));
  delay #(.W(LE * EWB), .N(CELL_DEPTH - EW_COMMON)) d_add (.clk, .rst, .d(results), .q(add_data));
  delay #(.W(LE * EWB), .N(HIDDEN_DEPTH - EW_COMMON)) d_mul (.clk, .rst, .d(results), .q(mul_data));
  assign add_write = added.valid && added.adds;
  assign add_target = added.target;
  assign add_address = added.address;
  assign add_count = added.count;
  assign add_op = added.op;
  assign mul_write = multiplied.valid && !multiplied.adds;
  assign mul_target = multiplied.target;
  assign mul_address = multiplied.address;
  assign mul_count = multiplied.count;
  assign mul_op = multiplied.op;
endmodule
