// The machine beside its DRAM. Writes a line for each event into `events.txt`:
//   s|f|d cycle op            op started, free, done
//   w unit cycle op address codes...   results written by an op's beat
/* verilator lint_off IMPORTSTAR */
import archsim_pkg::*;
/* verilator lint_on IMPORTSTAR */
module testbench (
    input  logic clk,
    input  logic rst,
    output logic finished
);
  logic ask, send, stored;
  logic [1:0] ask_kind;
  logic [AW-1:0] ask_address, send_address, stored_address;
  logic [CW-1:0] send_count, stored_count;
  logic [WL*R*C*WB-1:0] given_weights;
  logic [WL_OF_BIAS-1:0] given_biases;
  logic [FL*DVB-1:0] given_vector, send_data, stored_data;
  logic [OPS-1:0] started, freed, done;
  accelerator dut (
      .clk, .rst, .finished, .ask, .ask_kind, .ask_address, .given_weights, .given_biases, .given_vector, .send,
      .send_address, .send_count, .send_data, .started, .freed, .done
  );
  dram_model dram (
      .clk, .rst, .ask, .ask_kind, .ask_address, .given_weights, .given_biases, .given_vector, .send, .send_address,
      .send_count, .send_data, .stored, .stored_address, .stored_count, .stored_data
  );

  int log;
  int cycle;
  initial log = $fopen("events.txt", "w");
  final $fclose(log);
  always_ff @(posedge clk) begin
    if (rst) cycle <= 0;
    else begin
      cycle <= cycle + 1;
      if (started != '0 || freed != '0 || done != '0) begin
        for (int k = 0; k < OPS; k++) begin
          if (started[k]) $fwrite(log, "s %0d %0d\n", cycle, k);
          if (freed[k]) $fwrite(log, "f %0d %0d\n", cycle, k);
          if (done[k]) $fwrite(log, "d %0d %0d\n", cycle, k);
        end
      end
      if (dut.mac_write && dut.mac_final) begin
        $fwrite(log, "w %0d %0d %0d", cycle, MAC_FIRST + 32'(dut.mac_write_op), dut.sums_at);
        for (int i = 0; i < SR; i++) begin
          if (CW'(i) < dut.sums_count) $fwrite(log, " %0d", int'($signed(dut.sums_data[i*GB+:GB])));
        end
        $fwrite(log, "\n");
      end
      if (dut.act_write) begin
        $fwrite(log, "w %0d %0d %0d", cycle, ACT_FIRST + 32'(dut.act_write_op), dut.act_at);
        for (int i = 0; i < LA; i++) begin
          if (CW'(i) < dut.act_count) $fwrite(log, " %0d", int'($signed(dut.act_data[i*TVB+:TVB])));
        end
        $fwrite(log, "\n");
      end
      if (dut.add_write) begin
        $fwrite(log, "w %0d %0d %0d", cycle, EW_FIRST + 32'(dut.add_op), dut.add_at);
        for (int i = 0; i < LE; i++) begin
          if (CW'(i) < dut.add_count) $fwrite(log, " %0d", int'($signed(dut.add_data[i*EWB+:EWB])));
        end
        $fwrite(log, "\n");
      end
      if (dut.mul_write) begin
        $fwrite(log, "w %0d %0d %0d", cycle, EW_FIRST + 32'(dut.mul_op), dut.mul_at);
        for (int i = 0; i < LE; i++) begin
          if (CW'(i) < dut.mul_count) $fwrite(log, " %0d", int'($signed(dut.mul_data[i*EWB+:EWB])));
        end
        $fwrite(log, "\n");
      end
      if (dut.fill && dut.fill_kind == 2'd2) begin
        $fwrite(log, "w %0d %0d %0d", cycle, dut.fill_op, dut.fill_address);
        for (int i = 0; i < FL; i++) begin
          if (CW'(i) < dut.fill_count) $fwrite(log, " %0d", int'($signed(given_vector[i*DVB+:DVB])));
        end
        $fwrite(log, "\n");
      end
      if (stored) begin
        $fwrite(log, "o %0d %0d", cycle, stored_address);
        for (int i = 0; i < FL; i++) begin
          if (CW'(i) < stored_count) $fwrite(log, " %0d", int'($signed(stored_data[i*DVB+:DVB])));
        end
        $fwrite(log, "\n");
      end
    end
  end
endmodule
