// Walks through the program: segments of entries, each repeated; an entry names a unit and an op of it. Puts one op every
// ISSUE cycles into its unit's queue, as soon as that has a place. A segment with a barrier begins when every op before it
// is done. An entry marked as left out costs its issue interval and nothing else.
/* verilator lint_off VARHIDDEN */  // parameters may have the names of the package's constants
module sequencer #(
    parameter int UNITS = 4,
    parameter int ENTRIES = 1,
    parameter int EW = 1,
    parameter int SEGMENTS = 1,
    parameter int SW = 1,
    parameter int IW = 8,
    parameter int RW = 16,
    parameter int ISSUE = 1,
    parameter int TOKEN_LATENCY = 0
) (
    input  logic               clk,
    input  logic               rst,
    input  logic [  UNITS-1:0] place,
    input  logic [  UNITS-1:0] retired,
    output logic [  UNITS-1:0] push,
    output logic [     IW-1:0] push_op,
    output logic               finished
);
  // entry: {left out, unit, op}; segment: {barrier, first entry, last entry, repetitions - 1}
  localparam int ENTRY_BITS = 1 + 4 + IW;
  localparam int SEGMENT_BITS = 1 + 2 * EW + RW;
  logic [ENTRY_BITS-1:0] entries[0:ENTRIES-1];
  logic [SEGMENT_BITS-1:0] segments[0:SEGMENTS-1];
  initial $readmemh("entries.hex", entries);
  initial $readmemh("segments.hex", segments);

  logic [UNITS-1:0] retired_here;
  delay #(.W(UNITS), .N(TOKEN_LATENCY)) d_retired (.clk, .rst, .d(retired), .q(retired_here));

  logic begun;  // that the program begins is a token, too
  delay #(.W(1), .N(TOKEN_LATENCY)) d_begun (.clk, .rst, .d(1'b1), .q(begun));

  logic [SW-1:0] segment;
  logic [EW-1:0] entry, entry_now, first, last;
  logic [RW-1:0] repetition, repeats;
  logic fresh, barrier, left_out, over, go, room, fire;
  /* verilator lint_off UNUSEDSIGNAL */  // some fields are for others
  logic [3:0] unit;
  /* verilator lint_on UNUSEDSIGNAL */
  logic [15:0] wait_cycles;
  logic [31:0] under_way, under_way_now;

  assign {barrier, first, last, repeats} = segments[segment];
  assign entry_now = fresh ? first : entry;
  assign {left_out, unit, push_op} = entries[entry_now];
  always_comb begin
    under_way_now = under_way;
    for (int u = 0; u < UNITS; u++) under_way_now = under_way_now - 32'(retired_here[u]);
  end
  assign go = begun && !over && (!fresh || !barrier || under_way_now == '0);
  assign room = left_out || place[unit[$clog2(UNITS)-1:0]];
  assign fire = go && (ISSUE == 1 ? room : wait_cycles == 16'd1);
  always_comb begin
    push = '0;
    if (fire && !left_out) push[unit[$clog2(UNITS)-1:0]] = 1'b1;
  end
  assign finished = over && under_way_now == '0;

  always_ff @(posedge clk) begin
    if (rst) begin
      segment <= '0;
      entry <= '0;
      repetition <= '0;
      fresh <= 1'b1;
      over <= 1'b0;
      wait_cycles <= '0;
      under_way <= '0;
    end else begin
      under_way <= under_way_now + 32'(push != '0);
      if (go && ISSUE != 1) begin
        if (wait_cycles != '0) wait_cycles <= wait_cycles - 16'd1;
        else if (room) wait_cycles <= 16'(ISSUE - 1);
      end
      if (go) begin
        fresh <= 1'b0;
        entry <= entry_now;
      end
      if (fire) begin
        if (entry_now != last) entry <= entry_now + EW'(1);
        else if (repetition != repeats) begin
          entry <= first;
          repetition <= repetition + RW'(1);
        end else begin
          repetition <= '0;
          fresh <= 1'b1;
          if (segment == SW'(SEGMENTS - 1)) over <= 1'b1;
          else segment <= segment + SW'(1);
        end
      end
    end
  end
endmodule
/* verilator lint_on VARHIDDEN */
