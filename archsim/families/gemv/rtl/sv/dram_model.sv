// A behavioural model of DRAM behind its interface: what is asked for comes DRAM_LATENCY cycles later, what is sent is
// written as late. Weights and biases lie in it as lines, packed in the order in which they are loaded.
/* verilator lint_off IMPORTSTAR */
import archsim_pkg::*;
/* verilator lint_on IMPORTSTAR */
module dram_model (
    input  logic                clk,
    input  logic                rst,
    input  logic                ask,
    input  logic [         1:0] ask_kind,
    input  logic [      AW-1:0] ask_address,
    output logic [WL*R*C*WB-1:0] given_weights,
    output logic [WL_OF_BIAS-1:0] given_biases,
    output logic [  FL*DVB-1:0] given_vector,
    input  logic                send,
    input  logic [      AW-1:0] send_address,
    input  logic [      CW-1:0] send_count,
    input  logic [  FL*DVB-1:0] send_data,
    output logic                stored,
    output logic [      AW-1:0] stored_address,
    output logic [      CW-1:0] stored_count,
    output logic [  FL*DVB-1:0] stored_data
);
  logic [R*C*WB-1:0] weights[0:DRAM_WEIGHT_LINES-1];
  logic [SR*ACB-1:0] biases[0:DRAM_BIAS_LINES-1];
  logic [DVB-1:0] vectors[0:DRAM_ELEMENTS-1];
  initial begin
    $readmemh("dram_weights.hex", weights);
    $readmemh("dram_biases.hex", biases);
    $readmemh("dram_vectors.hex", vectors);
  end
  logic asked;
  logic [1:0] kind;
  logic [AW-1:0] address;
  delay #(.W(3 + AW), .N(DRAM_LATENCY)) d_ask (
      .clk, .rst, .d({ask, ask_kind, ask_address}), .q({asked, kind, address})
  );
  always_comb begin
    given_weights = '0;
    given_biases = '0;
    given_vector = '0;
    if (asked && kind == 2'd0) begin
      for (int i = 0; i < WL; i++) given_weights[i*R*C*WB+:R*C*WB] = weights[(32'(address)+i)%DRAM_WEIGHT_LINES];
    end
    if (asked && kind == 2'd1) begin
      for (int i = 0; i < BL; i++) given_biases[i*SR*ACB+:SR*ACB] = biases[(32'(address)+i)%DRAM_BIAS_LINES];
    end
    if (asked && kind == 2'd2) begin
      for (int i = 0; i < FL; i++) given_vector[i*DVB+:DVB] = vectors[(32'(address)+i)%DRAM_ELEMENTS];
    end
  end
  delay #(.W(1 + AW + CW + FL * DVB), .N(DRAM_LATENCY)) d_send (
      .clk, .rst, .d({send, send_address, send_count, send_data}), .q({stored, stored_address, stored_count, stored_data})
  );
  always_ff @(posedge clk) begin
    if (stored) begin
      for (int i = 0; i < FL; i++) begin
        if (CW'(i) < stored_count) vectors[(32'(stored_address)+i)%DRAM_ELEMENTS] <= stored_data[i*DVB+:DVB];
      end
    end
  end
endmodule
