// The token network: a credit counter for each dependency edge. The event of the edge's producer (done or free) gives a
// credit, the start of its consumer takes one; an op is ready when all of its edges have one. An edge that reaches back
// `lag` repetitions begins with as many credits.
/* verilator lint_off VARHIDDEN */  // parameters may have the names of the package's constants
module credits #(
    parameter int OPS = 1,
    parameter int EDGES = 1,
    parameter int CW = 8,
    parameter int TOKEN_LATENCY = 0,
    parameter logic [EDGES*16-1:0] PRODUCER = '0,
    parameter logic [EDGES*16-1:0] CONSUMER = '0,
    parameter logic [EDGES-1:0] AFTER_DONE = '0,
    parameter logic [EDGES*CW-1:0] INITIAL = '0
) (
    input  logic           clk,
    input  logic           rst,
    input  logic [OPS-1:0] started,
    input  logic [OPS-1:0] freed,
    input  logic [OPS-1:0] done,
    output logic [OPS-1:0] ready
);
  localparam int OW = OPS > 1 ? $clog2(OPS) : 1;
  logic [OPS-1:0] freed_here, done_here;
  delay #(.W(OPS), .N(TOKEN_LATENCY)) d_freed (.clk, .rst, .d(freed), .q(freed_here));
  delay #(.W(OPS), .N(TOKEN_LATENCY)) d_done (.clk, .rst, .d(done), .q(done_here));

  logic [EDGES-1:0] token;
  logic [EDGES*CW-1:0] count, with_token, count_next;
  always_comb begin
    for (int e = 0; e < EDGES; e++) begin
      token[e] = AFTER_DONE[e] ? done_here[OW'(PRODUCER[e*16+:16])] : freed_here[OW'(PRODUCER[e*16+:16])];
      with_token[e*CW+:CW] = count[e*CW+:CW] + CW'(token[e]);
    end
  end
  always_comb begin
    ready = '1;
    for (int e = 0; e < EDGES; e++) begin
      if ($signed(with_token[e*CW+:CW]) <= 0) ready[OW'(CONSUMER[e*16+:16])] = 1'b0;
    end
  end
  always_comb begin
    for (int e = 0; e < EDGES; e++) begin
      count_next[e*CW+:CW] = with_token[e*CW+:CW] - CW'(started[OW'(CONSUMER[e*16+:16])]);
    end
  end
  always_ff @(posedge clk) begin
    if (rst) count <= INITIAL;
    else count <= count_next;
  end
endmodule
/* verilator lint_on VARHIDDEN */
