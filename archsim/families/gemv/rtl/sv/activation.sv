// The activation unit's datapath: LA lanes, and the tag that says where their results go.
/* verilator lint_off IMPORTSTAR */
import archsim_pkg::*;
/* verilator lint_on IMPORTSTAR */
module activation (
    input  logic              clk,
    input  logic              rst,
    input  logic [    CW-1:0] beats_left,
    input  logic [ACT_IW-1:0] op,
    /* verilator lint_off UNUSEDSIGNAL */  // some fields are for others
    input  archsim_pkg::act_op_t           f,
    /* verilator lint_on UNUSEDSIGNAL */
    input  logic [    AW-1:0] source_pointer,
    input  logic [    AW-1:0] target_pointer,
    output logic [    AW-1:0] source_address,
    input  logic [LA*GB-1:0]  sums_data,
    input  logic [LA*CB-1:0]  c_data,
    input  logic [LA*KB-1:0]  scratch_data,
    output logic              write,
    output logic [       1:0] write_target,
    output logic [    AW-1:0] write_address,
    output logic [    CW-1:0] write_count,
    output logic [LA*TVB-1:0] write_data,
    output logic [ACT_IW-1:0] write_op
);
  localparam int TAG_BITS = ACT_TAG_BITS;
  logic beat, first_beat;
  logic [CW-1:0] offset, offset_now;
  assign beat = beats_left != '0 && beats_left <= f.beats;
  assign first_beat = beats_left == f.beats;
  assign offset_now = first_beat ? '0 : offset;
  assign source_address = source_pointer + AW'(offset_now);
  always_ff @(posedge clk) begin
    if (rst) offset <= '0;
    else if (beat) offset <= offset_now + CW'(LA);
  end

  /* verilator lint_off UNUSEDSIGNAL */  // some fields are for others
  archsim_pkg::act_tag_t issued, complete;
  /* verilator lint_on UNUSEDSIGNAL */
  always_comb begin
    issued = '0;
    issued.valid = beat;
    issued.op = op;
    issued.target = f.target;
    issued.address = target_pointer + AW'(offset_now);
    issued.count = f.values - offset_now > CW'(LA) ? CW'(LA) : f.values - offset_now;
    issued.is_identity = f.is_identity;
    issued.clips = f.clips;
    issued.bound = f.bound;
    issued.source_zero = f.source_zero;
    issued.m = f.m;
    issued.s = f.s;
    issued.m2 = f.m2;
    issued.s2 = f.s2;
    issued.function_base = f.function_base;
    issued.target_zero = f.target_zero;
    issued.target_rounding = f.target_rounding;
  end
  delay #(.W(TAG_BITS), .N(ACT_DEPTH)) d_tag (.clk, .rst, .d(issued), .q(complete));
  for (genvar i = 0; i < LA; i++) begin : g_lanes
    logic signed [SVB-1:0] source;
    always_comb begin
      case (f.source)
        2'd0: source = SVB'($signed(sums_data[i*GB+:GB]));
        2'd1: source = SVB'($signed(c_data[i*CB+:CB]));
        default: source = SVB'($signed(scratch_data[i*KB+:KB]));
      endcase
    end
    activation_lane lane (.clk, .rst, .source, .tag(issued), .result(write_data[i*TVB+:TVB]));
  end
  assign write = complete.valid;
  assign write_target = complete.target;
  assign write_address = complete.address;
  assign write_count = complete.count;
  assign write_op = complete.op;
endmodule
