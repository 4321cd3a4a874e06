// Adds N signed numbers of W bits in ceil(log2 N) levels, each with LATENCY registers; every level has one bit more.
/* verilator lint_off VARHIDDEN */  // parameters may have the names of the package's constants
module adder_tree #(
    parameter int N = 4,
    parameter int W = 16,
    parameter int LATENCY = 1
) (
    input  logic                   clk,
    input  logic                   rst,
    input  logic [        N*W-1:0] terms,
    output logic [W+$clog2(N)-1:0] sum
);
  if (N == 1) begin : g_one
    logic unused;
    assign unused = &{1'b0, clk, rst};
    assign sum = terms;
  end else begin : g_level
    localparam int M = (N + 1) / 2;
    localparam int V = W + 1;
    logic [M*V-1:0] added, kept;
    always_comb begin
      for (int i = 0; i < M; i++) begin
        added[i*V+:V] = V'($signed(terms[2*i*W+:W]));
        if (2 * i + 1 < N) added[i*V+:V] = added[i*V+:V] + V'($signed(terms[((2*i+1)%N)*W+:W]));
      end
    end
    delay #(.W(M * V), .N(LATENCY)) level (.clk, .rst, .d(added), .q(kept));
    adder_tree #(.N(M), .W(V), .LATENCY(LATENCY)) rest (.clk, .rst, .terms(kept), .sum);
  end
endmodule
/* verilator lint_on VARHIDDEN */
