// The unit `dram`: moves lines of weights and biases, and elements of vectors, between DRAM's interface and the memories on
// the chip. A beat asks for (or sends) up to a beat's share; what was asked for comes DRAM_LATENCY cycles later.
/* verilator lint_off IMPORTSTAR */
import archsim_pkg::*;
/* verilator lint_on IMPORTSTAR */
module dma (
    input  logic              clk,
    input  logic              rst,
    input  logic [    CW-1:0] beats_left,
    input  logic [DMA_IW-1:0] op,
    /* verilator lint_off UNUSEDSIGNAL */  // some fields are for others
    input  archsim_pkg::dma_op_t           f,
    /* verilator lint_on UNUSEDSIGNAL */
    input  logic              start,
    input  logic [    AW-1:0] outside_pointer,
    input  logic [    AW-1:0] inside_pointer,
    // DRAM's interface
    output logic              ask,
    output logic [       1:0] ask_kind,
    output logic [    AW-1:0] ask_address,
    output logic              send,
    output logic [    AW-1:0] send_address,
    output logic [    CW-1:0] send_count,
    // on the chip
    output logic [    AW-1:0] read_address,
    output logic              read_cell,
    output logic              fill,
    output logic [       1:0] fill_kind,
    output logic [       1:0] fill_vector,
    output logic [    AW-1:0] fill_address,
    output logic [    CW-1:0] fill_count,
    output logic [DMA_IW-1:0] fill_op
);
  localparam int TAG_BITS = DMA_TAG_BITS;
  logic [CW-1:0] moved, moved_now, share;
  logic moving;
  assign moved_now = start ? '0 : moved;
  assign share = f.kind == 2'd0 ? CW'(WL) : f.kind == 2'd1 ? CW'(BL) : CW'(FL);
  assign moving = beats_left != '0 && moved_now < f.items;
  always_ff @(posedge clk) begin
    if (rst) moved <= '0;
    else if (moving) moved <= moved_now + share;
  end
  assign ask = moving && f.kind != 2'd3;
  assign ask_kind = f.kind;
  assign ask_address = outside_pointer + AW'(moved_now);
  assign send = moving && f.kind == 2'd3;
  assign send_address = outside_pointer + AW'(moved_now);
  assign send_count = f.items - moved_now > share ? share : f.items - moved_now;
  assign read_address = inside_pointer + AW'(moved_now);
  assign read_cell = f.vector == 2'd2;

  archsim_pkg::dma_tag_t asked, given;
  always_comb begin
    asked = '0;
    asked.valid = ask;
    asked.op = op;
    asked.kind = f.kind;
    asked.vector = f.vector;
    asked.address = inside_pointer + AW'(moved_now);
    asked.count = send_count;
  end
  delay #(.W(TAG_BITS), .N(DRAM_LATENCY)) d_tag (.clk, .rst, .d(asked), .q(given));
  assign fill = given.valid;
  assign fill_kind = given.kind;
  assign fill_vector = given.vector;
  assign fill_address = given.address;
  assign fill_count = given.count;
  assign fill_op = given.op;
endmodule
