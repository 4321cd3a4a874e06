// What all units have around their datapath: the queue in front, the start of the head when it is ready and the unit is
// free, the counter of beats for which an op holds the unit, and in-order retirement `depth` cycles behind the last beat.
// An op is started in the first cycle of its occupancy, `freed` in the cycle behind its last, `done` in the cycle in which
// its results can be read. An op's write beats are its own: it retires at least as many cycles behind the op before.
/* verilator lint_off VARHIDDEN */  // parameters may have the names of the package's constants
module unit_shell #(
    parameter int OPS = 1,
    parameter int IW = 1,
    parameter int QUEUE = 8,
    parameter int CW = 16,
    parameter int RING = 8
) (
    input  logic           clk,
    input  logic           rst,
    input  logic           push,
    input  logic [ IW-1:0] push_op,
    output logic           place,
    input  logic [OPS-1:0] ready,
    output logic [ IW-1:0] op,
    output logic           start,
    output logic [ CW-1:0] beats_left,
    input  logic [ CW-1:0] occupancy,
    input  logic [ CW-1:0] depth,
    input  logic [ CW-1:0] write_beats,
    output logic [OPS-1:0] started,
    output logic [OPS-1:0] freed,
    output logic [OPS-1:0] done,
    output logic           retires
);
  localparam int QW = $clog2(QUEUE + 1);
  localparam int PW = QUEUE > 1 ? $clog2(QUEUE) : 1;
  localparam int RW = $clog2(RING);
  localparam int LW = RW + 1;
  localparam int TW = 20;

  // Queue
  logic [QUEUE*IW-1:0] queue;
  logic [QW-1:0] length;
  logic [PW-1:0] tail;
  logic [IW-1:0] head, current;
  assign head = queue[IW-1:0];
  assign place = length < QW'(QUEUE) || start;
  assign tail = PW'(length - QW'(start));
  always_ff @(posedge clk) begin
    if (rst) begin
      length <= '0;
      queue  <= '0;
    end else begin
      length <= length + QW'(push) - QW'(start);
      for (int i = 0; i < QUEUE; i++) begin
        if (push && PW'(i) == tail) queue[i*IW+:IW] <= push_op;
        else if (start && i + 1 < QUEUE) queue[i*IW+:IW] <= queue[((i+1)%QUEUE)*IW+:IW];
      end
    end
  end

  // Start and beats
  logic [CW-1:0] left;
  logic last;
  assign start = length != '0 && left == '0 && ready[head];
  assign op = left == '0 ? head : current;
  assign beats_left = start ? occupancy : left;
  assign last = beats_left == CW'(1);
  always_ff @(posedge clk) begin
    if (rst) begin
      left <= '0;
      current <= '0;
      freed <= '0;
    end else begin
      left <= beats_left == '0 ? '0 : beats_left - CW'(1);
      if (start) current <= head;
      freed <= '0;
      if (last) freed[op] <= 1'b1;
    end
  end
  always_comb begin
    started = '0;
    if (start) started[head] = 1'b1;
  end

  // Retirement: a ring of the ops that have been freed, each with the cycle from which it may retire
  logic [TW-1:0] now;
  logic [IW-1:0] ring_op[0:RING-1];
  logic [TW-1:0] ring_due[0:RING-1];
  logic [CW-1:0] ring_beats[0:RING-1];
  logic [RW-1:0] ring_write, ring_read;
  logic [LW-1:0] under_way;
  logic [CW-1:0] since;
  logic signed [TW-1:0] late;
  assign late = $signed(now - ring_due[ring_read]);
  assign retires = under_way != '0 && late >= 0 && since >= ring_beats[ring_read];
  always_comb begin
    done = '0;
    if (retires) done[ring_op[ring_read]] = 1'b1;
  end
  always_ff @(posedge clk) begin
    if (rst) begin
      now <= '0;
      ring_write <= '0;
      ring_read <= '0;
      under_way <= '0;
      since <= '1;
    end else begin
      now <= now + TW'(1);
      if (retires) since <= CW'(1);
      else if (since != '1) since <= since + CW'(1);
      if (last) begin
        ring_op[ring_write] <= op;
        ring_due[ring_write] <= now + TW'(1) + TW'(depth);
        ring_beats[ring_write] <= write_beats;
        ring_write <= ring_write == RW'(RING - 1) ? '0 : ring_write + RW'(1);
      end
      if (retires) ring_read <= ring_read == RW'(RING - 1) ? '0 : ring_read + RW'(1);
      under_way <= under_way + LW'(last) - LW'(retires);
    end
  end
endmodule
/* verilator lint_on VARHIDDEN */
