// The machine: sequencer and tokens, the four units with their queues, programs and pointers, and the memories between them.
/* verilator lint_off IMPORTSTAR */
import archsim_pkg::*;
/* verilator lint_on IMPORTSTAR */
module accelerator (
    input  logic                clk,
    input  logic                rst,
    output logic                finished,
    // DRAM's interface: what was asked for comes DRAM_LATENCY cycles later
    output logic                ask,
    output logic [         1:0] ask_kind,
    output logic [      AW-1:0] ask_address,
    input  logic [WL*R*C*WB-1:0] given_weights,
    input  logic [WL_OF_BIAS-1:0] given_biases,
    input  logic [  FL*DVB-1:0] given_vector,
    output logic                send,
    output logic [      AW-1:0] send_address,
    output logic [      CW-1:0] send_count,
    output logic [  FL*DVB-1:0] send_data,
    // what happens, for those who watch
    output logic [     OPS-1:0] started,
    output logic [     OPS-1:0] freed,
    output logic [     OPS-1:0] done
);
  // Programs: a word an op
  archsim_pkg::dma_op_t dma_f;
  archsim_pkg::mac_op_t mac_f;
  archsim_pkg::act_op_t act_f;
  archsim_pkg::ew_op_t ew_f;
  logic [DMA_BITS-1:0] dma_rom[0:DMA_OPS-1];
  logic [MAC_BITS-1:0] mac_rom[0:MAC_OPS-1];
  logic [ACT_BITS-1:0] act_rom[0:ACT_OPS-1];
  logic [EW_BITS-1:0] ew_rom[0:EW_OPS-1];
  initial begin
    $readmemh("dma.hex", dma_rom);
    $readmemh("mac.hex", mac_rom);
    $readmemh("act.hex", act_rom);
    $readmemh("ew.hex", ew_rom);
  end

  // Sequencer and tokens
  logic [3:0] place, push;
  logic [IW-1:0] push_op;
  logic [3:0] retired;
  logic [OPS-1:0] ready;
  sequencer #(
      .UNITS(4), .ENTRIES(SEQ_ENTRIES), .EW(SEQ_EW), .SEGMENTS(SEQ_SEGMENTS), .SW(SEQ_SW), .IW(IW), .RW(SEQ_RW),
      .ISSUE(ISSUE), .TOKEN_LATENCY(TOKEN_LATENCY)
  ) sequencer (
      .clk, .rst, .place, .retired, .push, .push_op, .finished
  );
  credits #(
      .OPS(OPS), .EDGES(EDGES), .CW(CREDIT_BITS), .TOKEN_LATENCY(TOKEN_LATENCY), .PRODUCER(EDGE_PRODUCER),
      .CONSUMER(EDGE_CONSUMER), .AFTER_DONE(EDGE_AFTER_DONE), .INITIAL(EDGE_INITIAL)
  ) credits (
      .clk, .rst, .started, .freed, .done, .ready
  );

  // Units
  logic [DMA_IW-1:0] dma_op;
  logic [MAC_IW-1:0] mac_op;
  logic [ACT_IW-1:0] act_op;
  logic [EW_IW-1:0] ew_op;
  logic dma_start, mac_start, act_start, ew_start;
  logic [CW-1:0] dma_left, mac_left, act_left, ew_left;
  assign dma_f = dma_rom[dma_op];
  assign mac_f = mac_rom[mac_op];
  assign act_f = act_rom[act_op];
  assign ew_f = ew_rom[ew_op];
  unit_shell #(.OPS(DMA_OPS), .IW(DMA_IW), .QUEUE(QUEUE), .CW(CW), .RING(DMA_RING)) dma_shell (
      .clk, .rst, .push(push[0]), .push_op(push_op[DMA_IW-1:0]), .place(place[0]), .ready(ready[0+:DMA_OPS]),
      .op(dma_op), .start(dma_start), .beats_left(dma_left), .occupancy(dma_f.occupancy), .depth(CW'(DRAM_LATENCY)),
      .write_beats(dma_f.write_beats), .started(started[0+:DMA_OPS]), .freed(freed[0+:DMA_OPS]),
      .done(done[0+:DMA_OPS]), .retires(retired[0])
  );
  unit_shell #(.OPS(MAC_OPS), .IW(MAC_IW), .QUEUE(QUEUE), .CW(CW), .RING(MAC_RING)) mac_shell (
      .clk, .rst, .push(push[1]), .push_op(push_op[MAC_IW-1:0]), .place(place[1]), .ready(ready[MAC_FIRST+:MAC_OPS]),
      .op(mac_op), .start(mac_start), .beats_left(mac_left), .occupancy(mac_f.occupancy), .depth(CW'(MAC_DEPTH)),
      .write_beats(mac_f.write_beats), .started(started[MAC_FIRST+:MAC_OPS]), .freed(freed[MAC_FIRST+:MAC_OPS]),
      .done(done[MAC_FIRST+:MAC_OPS]), .retires(retired[1])
  );
  unit_shell #(.OPS(ACT_OPS), .IW(ACT_IW), .QUEUE(QUEUE), .CW(CW), .RING(ACT_RING)) act_shell (
      .clk, .rst, .push(push[2]), .push_op(push_op[ACT_IW-1:0]), .place(place[2]), .ready(ready[ACT_FIRST+:ACT_OPS]),
      .op(act_op), .start(act_start), .beats_left(act_left), .occupancy(act_f.occupancy), .depth(CW'(ACT_DEPTH)),
      .write_beats(act_f.write_beats), .started(started[ACT_FIRST+:ACT_OPS]), .freed(freed[ACT_FIRST+:ACT_OPS]),
      .done(done[ACT_FIRST+:ACT_OPS]), .retires(retired[2])
  );
  unit_shell #(
      .OPS(EW_OPS), .IW(EW_IW), .QUEUE(QUEUE), .CW(CW), .RING(EW_RING)
  ) ew_shell (
      .clk, .rst, .push(push[3]), .push_op(push_op[EW_IW-1:0]), .place(place[3]), .ready(ready[EW_FIRST+:EW_OPS]),
      .op(ew_op), .start(ew_start), .beats_left(ew_left), .occupancy(ew_f.occupancy),
      .depth(ew_f.adds ? CW'(CELL_DEPTH) : CW'(HIDDEN_DEPTH)), .write_beats(ew_f.write_beats),
      .started(started[EW_FIRST+:EW_OPS]), .freed(freed[EW_FIRST+:EW_OPS]), .done(done[EW_FIRST+:EW_OPS]),
      .retires(retired[3])
  );

  // Pointers
  logic [AW-1:0] dma_outside, dma_inside, mac_x, mac_h, mac_sums, act_source, act_target;
  logic [AW-1:0] ew_a, ew_b, ew_c, ew_d, ew_target;
  pointer #(.OPS(DMA_OPS), .IW(DMA_IW), .AW(AW)) p_dma_outside (
      .clk, .rst, .op(dma_op), .start(dma_start), .first(dma_f.outside.first), .step(dma_f.outside.step),
      .limit(dma_f.outside.limit), .span(dma_f.outside.span), .address(dma_outside)
  );
  pointer #(.OPS(DMA_OPS), .IW(DMA_IW), .AW(AW)) p_dma_inside (
      .clk, .rst, .op(dma_op), .start(dma_start), .first(dma_f.inside_.first), .step(dma_f.inside_.step),
      .limit(dma_f.inside_.limit), .span(dma_f.inside_.span), .address(dma_inside)
  );
  pointer #(.OPS(MAC_OPS), .IW(MAC_IW), .AW(AW)) p_mac_x (
      .clk, .rst, .op(mac_op), .start(mac_start), .first(mac_f.x.first), .step(mac_f.x.step), .limit(mac_f.x.limit),
      .span(mac_f.x.span), .address(mac_x)
  );
  pointer #(.OPS(MAC_OPS), .IW(MAC_IW), .AW(AW)) p_mac_h (
      .clk, .rst, .op(mac_op), .start(mac_start), .first(mac_f.h.first), .step(mac_f.h.step), .limit(mac_f.h.limit),
      .span(mac_f.h.span), .address(mac_h)
  );
  pointer #(.OPS(MAC_OPS), .IW(MAC_IW), .AW(AW)) p_mac_sums (
      .clk, .rst, .op(mac_op), .start(mac_start), .first(mac_f.sums.first), .step(mac_f.sums.step),
      .limit(mac_f.sums.limit), .span(mac_f.sums.span), .address(mac_sums)
  );
  pointer #(.OPS(ACT_OPS), .IW(ACT_IW), .AW(AW)) p_act_source (
      .clk, .rst, .op(act_op), .start(act_start), .first(act_f.from.first), .step(act_f.from.step),
      .limit(act_f.from.limit), .span(act_f.from.span), .address(act_source)
  );
  pointer #(.OPS(ACT_OPS), .IW(ACT_IW), .AW(AW)) p_act_target (
      .clk, .rst, .op(act_op), .start(act_start), .first(act_f.into.first), .step(act_f.into.step),
      .limit(act_f.into.limit), .span(act_f.into.span), .address(act_target)
  );
  pointer #(.OPS(EW_OPS), .IW(EW_IW), .AW(AW)) p_ew_a (
      .clk, .rst, .op(ew_op), .start(ew_start), .first(ew_f.a.first), .step(ew_f.a.step), .limit(ew_f.a.limit),
      .span(ew_f.a.span), .address(ew_a)
  );
  pointer #(.OPS(EW_OPS), .IW(EW_IW), .AW(AW)) p_ew_b (
      .clk, .rst, .op(ew_op), .start(ew_start), .first(ew_f.b.first), .step(ew_f.b.step), .limit(ew_f.b.limit),
      .span(ew_f.b.span), .address(ew_b)
  );
  pointer #(.OPS(EW_OPS), .IW(EW_IW), .AW(AW)) p_ew_c (
      .clk, .rst, .op(ew_op), .start(ew_start), .first(ew_f.c.first), .step(ew_f.c.step), .limit(ew_f.c.limit),
      .span(ew_f.c.span), .address(ew_c)
  );
  pointer #(.OPS(EW_OPS), .IW(EW_IW), .AW(AW)) p_ew_d (
      .clk, .rst, .op(ew_op), .start(ew_start), .first(ew_f.d.first), .step(ew_f.d.step), .limit(ew_f.d.limit),
      .span(ew_f.d.span), .address(ew_d)
  );
  pointer #(.OPS(EW_OPS), .IW(EW_IW), .AW(AW)) p_ew_target (
      .clk, .rst, .op(ew_op), .start(ew_start), .first(ew_f.into.first), .step(ew_f.into.step),
      .limit(ew_f.into.limit), .span(ew_f.into.span), .address(ew_target)
  );

  // The unit `dram`
  logic [AW-1:0] dma_read, fill_address;
  logic [DMA_IW-1:0] fill_op;
  logic dma_reads_cell, fill;
  logic [1:0] fill_kind, fill_vector;
  logic [CW-1:0] fill_count;
  logic [FL*HB-1:0] h_to_dma;
  logic [FL*CB-1:0] c_to_dma;
  dma dma (
      .clk, .rst, .beats_left(dma_left), .op(dma_op), .f(dma_f), .start(dma_start), .outside_pointer(dma_outside),
      .inside_pointer(dma_inside), .ask, .ask_kind, .ask_address, .send, .send_address, .send_count,
      .read_address(dma_read), .read_cell(dma_reads_cell), .fill, .fill_kind, .fill_vector, .fill_address, .fill_count,
      .fill_op
  );
  always_comb begin
    for (int i = 0; i < FL; i++) begin
      send_data[i*DVB+:DVB] = dma_reads_cell ? DVB'($signed(c_to_dma[i*CB+:CB])) : DVB'($signed(h_to_dma[i*HB+:HB]));
    end
  end

  // MAC array, weights, biases, x and sums
  logic [AW-1:0] weight_line, x_address, h_address, bias_line, sums_at;
  logic [R*C*WB-1:0] weight_data;
  logic [C*XB-1:0] x_data;
  logic [C*HB-1:0] h_to_mac, v_to_mac;
  logic [SR*ACB-1:0] bias_data;
  logic [SR*GB-1:0] sums_data, old_sums;
  logic mac_write, mac_final, h_is_vector;
  logic [CW-1:0] sums_count;
  logic [MAC_IW-1:0] mac_write_op;
  mac_array mac (
      .clk, .rst, .beats_left(mac_left), .op(mac_op), .f(mac_f), .x_pointer(mac_x), .h_pointer(mac_h),
      .sums_pointer(mac_sums), .weight_line, .weight_data, .x_address, .x_data, .h_address, .h_is_vector,
      .h_data(h_is_vector ? v_to_mac : h_to_mac), .bias_line, .bias_data, .write(mac_write), .write_address(sums_at),
      .write_count(sums_count), .write_data(sums_data), .old_data(old_sums), .write_final(mac_final),
      .write_op(mac_write_op)
  );
  line_mem #(.W(R * C * WB), .DEPTH(WEIGHT_LINES), .AW(AW), .CW(CW), .LW(WL)) weight_sram (
      .clk, .we(fill && fill_kind == 2'd0), .waddr(fill_address), .wcount(fill_count), .wdata(given_weights),
      .raddr(weight_line), .rdata(weight_data)
  );
  vec_mem #(.W(SR * ACB), .DEPTH(BIAS_LINES), .AW(AW), .CW(CW), .LW(BL), .LR(1)) bias_memory (
      .clk, .we(fill && fill_kind == 2'd1), .waddr(fill_address), .wcount(fill_count), .wdata(given_biases),
      .raddr(bias_line), .rdata(bias_data)
  );
  logic fills_x, fills_h, fills_c;
  assign fills_x = fill && fill_kind == 2'd2 && fill_vector == 2'd0;
  assign fills_h = fill && fill_kind == 2'd2 && fill_vector == 2'd1;
  assign fills_c = fill && fill_kind == 2'd2 && fill_vector == 2'd2;
  logic [FL*XB-1:0] x_filled;
  always_comb for (int i = 0; i < FL; i++) x_filled[i*XB+:XB] = given_vector[i*DVB+:XB];
  vec_mem #(.W(XB), .DEPTH(X_DEPTH), .AW(AW), .CW(CW), .LW(FL), .LR(C), .RSTRIDE(B)) input_buffer (
      .clk, .we(fills_x), .waddr(fill_address), .wcount(fill_count), .wdata(x_filled), .raddr(x_address), .rdata(x_data)
  );
  logic [LA*GB-1:0] sums_to_act;
  logic [LE*GB-1:0] b_sums, d_sums;
  logic [AW-1:0] act_address, a_address, b_address, c_address, d_address;
  vec_mem #(.W(GB), .DEPTH(SUMS_DEPTH), .AW(AW), .CW(CW), .LW(SR), .LR(SR), .WSTRIDE(B), .RSTRIDE(B)) sums (
      .clk, .we(mac_write), .waddr(sums_at), .wcount(sums_count), .wdata(sums_data), .raddr(sums_at), .rdata(old_sums)
  );
  vec_mem #(.W(GB), .DEPTH(SUMS_DEPTH), .AW(AW), .CW(CW), .LW(SR), .LR(LA), .WSTRIDE(B)) sums_for_activation (
      .clk, .we(mac_write), .waddr(sums_at), .wcount(sums_count), .wdata(sums_data), .raddr(act_address),
      .rdata(sums_to_act)
  );
  if (EW_READS_SUMS) begin : g_sums_for_elementwise
    vec_mem #(.W(GB), .DEPTH(SUMS_DEPTH), .AW(AW), .CW(CW), .LW(SR), .LR(LE), .WSTRIDE(B)) sums_b (
        .clk, .we(mac_write), .waddr(sums_at), .wcount(sums_count), .wdata(sums_data), .raddr(b_address), .rdata(b_sums)
    );
    vec_mem #(.W(GB), .DEPTH(SUMS_DEPTH), .AW(AW), .CW(CW), .LW(SR), .LR(LE), .WSTRIDE(B)) sums_d (
        .clk, .we(mac_write), .waddr(sums_at), .wcount(sums_count), .wdata(sums_data), .raddr(d_address), .rdata(d_sums)
    );
  end else begin : g_no_sums_for_elementwise
    assign b_sums = '0;
    assign d_sums = '0;
  end

  // Activation, gates and scratch (tanh(c), or a GRU's candidate before its activation)
  logic act_write;
  logic [1:0] act_into;
  logic [AW-1:0] act_at;
  logic [CW-1:0] act_count;
  logic [LA*TVB-1:0] act_data;
  logic [ACT_IW-1:0] act_write_op;
  logic [LA*CB-1:0] c_to_act;
  logic [LA*KB-1:0] scratch_to_act;
  activation activation (
      .clk, .rst, .beats_left(act_left), .op(act_op), .f(act_f), .source_pointer(act_source),
      .target_pointer(act_target), .source_address(act_address), .sums_data(sums_to_act), .c_data(c_to_act),
      .scratch_data(scratch_to_act), .write(act_write), .write_target(act_into), .write_address(act_at),
      .write_count(act_count), .write_data(act_data), .write_op(act_write_op)
  );
  logic [LA*FB-1:0] new_gates;
  always_comb for (int i = 0; i < LA; i++) new_gates[i*FB+:FB] = act_data[i*TVB+:FB];
  logic write_gates;
  assign write_gates = act_write && act_into == 2'd0;
  logic [LE*FB-1:0] a_gates, c_gates, further_gates;
  logic [AW-1:0] further_address;
  assign further_address = ew_f.b_source == 3'd4 ? b_address : d_address;
  vec_mem #(.W(FB), .DEPTH(GATES_DEPTH), .AW(AW), .CW(CW), .LW(LA), .LR(LE)) gates_a (
      .clk, .we(write_gates), .waddr(act_at), .wcount(act_count), .wdata(new_gates), .raddr(a_address), .rdata(a_gates)
  );
  vec_mem #(.W(FB), .DEPTH(GATES_DEPTH), .AW(AW), .CW(CW), .LW(LA), .LR(LE)) gates_c (
      .clk, .we(write_gates), .waddr(act_at), .wcount(act_count), .wdata(new_gates), .raddr(c_address), .rdata(c_gates)
  );
  vec_mem #(.W(FB), .DEPTH(GATES_DEPTH), .AW(AW), .CW(CW), .LW(LA), .LR(LE)) gates_further (
      .clk, .we(write_gates), .waddr(act_at), .wcount(act_count), .wdata(new_gates), .raddr(further_address),
      .rdata(further_gates)
  );

  // Element-wise
  logic add_write, mul_write;
  logic [1:0] add_into, mul_into;
  logic [AW-1:0] add_at, mul_at;
  logic [CW-1:0] add_count, mul_count;
  logic [LE*EWB-1:0] add_data, mul_data;
  logic [EW_IW-1:0] add_op, mul_op;
  logic [LE*CB-1:0] c_to_ew;
  logic [LE*KB-1:0] scratch_to_ew;
  logic [LE*HB-1:0] h_to_ew;
  elementwise elementwise (
      .clk, .rst, .beats_left(ew_left), .op(ew_op), .f(ew_f), .a_pointer(ew_a), .b_pointer(ew_b), .c_pointer(ew_c),
      .d_pointer(ew_d), .target_pointer(ew_target), .a_address, .b_address, .c_address, .d_address, .a_gates, .c_gates,
      .further_gates, .cell_data(c_to_ew), .scratch_data(scratch_to_ew), .b_sums, .d_sums, .h_data(h_to_ew),
      .add_write, .mul_write, .add_target(add_into), .mul_target(mul_into), .add_address(add_at),
      .mul_address(mul_at), .add_count, .mul_count, .add_data, .mul_data, .add_op, .mul_op
  );

  logic scratch_write;
  logic [AW-1:0] scratch_at;
  logic [CW-1:0] scratch_count;
  logic [EL*KB-1:0] scratch_new;
  always_comb begin
    scratch_new = '0;
    if (SCRATCH_FROM_ACTIVATION) begin
      scratch_write = act_write && act_into == 2'd1;
      scratch_at = act_at;
      scratch_count = act_count;
      for (int i = 0; i < LA; i++) scratch_new[i*KB+:KB] = KB'($signed(act_data[i*TVB+:TVB]));
    end else begin
      scratch_write = add_write && add_into == 2'd3;
      scratch_at = add_at;
      scratch_count = add_count;
      for (int i = 0; i < LE; i++) scratch_new[i*KB+:KB] = KB'($signed(add_data[i*EWB+:EWB]));
    end
  end
  vec_mem #(.W(KB), .DEPTH(SCRATCH_DEPTH), .AW(AW), .CW(CW), .LW(EL), .LR(LE)) scratch_for_elementwise (
      .clk, .we(scratch_write), .waddr(scratch_at), .wcount(scratch_count), .wdata(scratch_new), .raddr(b_address),
      .rdata(scratch_to_ew)
  );
  vec_mem #(.W(KB), .DEPTH(SCRATCH_DEPTH), .AW(AW), .CW(CW), .LW(EL), .LR(LA)) scratch_for_activation (
      .clk, .we(scratch_write), .waddr(scratch_at), .wcount(scratch_count), .wdata(scratch_new), .raddr(act_address),
      .rdata(scratch_to_act)
  );

  // c: written by the cell update, and loaded
  logic c_write;
  logic [AW-1:0] c_at;
  logic [CW-1:0] c_count;
  logic [HL*CB-1:0] c_new;
  always_comb begin
    c_new = '0;
    c_write = fills_c || (add_write && add_into == 2'd0);
    c_at = fills_c ? fill_address : add_at;
    c_count = fills_c ? fill_count : add_count;
    for (int i = 0; i < LE; i++) c_new[i*CB+:CB] = add_data[i*EWB+:CB];
    if (fills_c) for (int i = 0; i < FL; i++) c_new[i*CB+:CB] = given_vector[i*DVB+:CB];
  end
  vec_mem #(.W(CB), .DEPTH(C_DEPTH), .AW(AW), .CW(CW), .LW(HL), .LR(LE)) c_for_elementwise (
      .clk, .we(c_write), .waddr(c_at), .wcount(c_count), .wdata(c_new), .raddr(b_address), .rdata(c_to_ew)
  );
  vec_mem #(.W(CB), .DEPTH(C_DEPTH), .AW(AW), .CW(CW), .LW(HL), .LR(LA)) c_for_activation (
      .clk, .we(c_write), .waddr(c_at), .wcount(c_count), .wdata(c_new), .raddr(act_address), .rdata(c_to_act)
  );
  vec_mem #(.W(CB), .DEPTH(C_DEPTH), .AW(AW), .CW(CW), .LW(HL), .LR(FL)) c_for_dma (
      .clk, .we(c_write), .waddr(c_at), .wcount(c_count), .wdata(c_new), .raddr(dma_read), .rdata(c_to_dma)
  );

  // h: written by the hidden update (or, of an RNN and a projection, by the activation unit), and loaded
  logic h_write, add_h, mul_h;
  logic [AW-1:0] h_at, h_for_ew;
  logic [CW-1:0] h_count;
  logic [HL*HB-1:0] h_new;
  assign add_h = add_write && add_into == 2'd1;
  assign mul_h = mul_write && mul_into == 2'd1;
  always_comb begin
    h_new = '0;
    h_write = 1'b1;
    h_at = fill_address;
    h_count = fill_count;
    if (fills_h) begin
      for (int i = 0; i < FL; i++) h_new[i*HB+:HB] = given_vector[i*DVB+:HB];
    end else if (add_h) begin
      h_at = add_at;
      h_count = add_count;
      for (int i = 0; i < LE; i++) h_new[i*HB+:HB] = add_data[i*EWB+:HB];
    end else if (mul_h) begin
      h_at = mul_at;
      h_count = mul_count;
      for (int i = 0; i < LE; i++) h_new[i*HB+:HB] = mul_data[i*EWB+:HB];
    end else if (act_write && act_into == 2'd2) begin
      h_at = act_at;
      h_count = act_count;
      for (int i = 0; i < LA; i++) h_new[i*HB+:HB] = act_data[i*TVB+:HB];
    end else h_write = 1'b0;
  end
  assign h_for_ew = ew_f.b_source == 3'd3 ? b_address : d_address;
  vec_mem #(.W(HB), .DEPTH(H_DEPTH), .AW(AW), .CW(CW), .LW(HL), .LR(C), .RSTRIDE(B)) h_for_mac (
      .clk, .we(h_write), .waddr(h_at), .wcount(h_count), .wdata(h_new), .raddr(h_address), .rdata(h_to_mac)
  );
  vec_mem #(.W(HB), .DEPTH(H_DEPTH), .AW(AW), .CW(CW), .LW(HL), .LR(LE)) h_for_elementwise (
      .clk, .we(h_write), .waddr(h_at), .wcount(h_count), .wdata(h_new), .raddr(h_for_ew), .rdata(h_to_ew)
  );
  vec_mem #(.W(HB), .DEPTH(H_DEPTH), .AW(AW), .CW(CW), .LW(HL), .LR(FL)) h_for_dma (
      .clk, .we(h_write), .waddr(h_at), .wcount(h_count), .wdata(h_new), .raddr(dma_read), .rdata(h_to_dma)
  );

  // A whole vector between two products: o * tanh(c) before a projection, r * h of a GRU that resets first
  if (HAS_VECTOR) begin : g_vector
    logic [LE*HB-1:0] v_new;
    always_comb for (int i = 0; i < LE; i++) v_new[i*HB+:HB] = mul_data[i*EWB+:HB];
    vec_mem #(.W(HB), .DEPTH(VECTOR_DEPTH), .AW(AW), .CW(CW), .LW(LE), .LR(C), .RSTRIDE(B)) vector (
        .clk, .we(mul_write && mul_into == 2'd2), .waddr(mul_at), .wcount(mul_count), .wdata(v_new),
        .raddr(h_address), .rdata(v_to_mac)
    );
  end else begin : g_no_vector
    assign v_to_mac = '0;
  end
endmodule
