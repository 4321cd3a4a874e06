// The rows of the MAC array: R x C multipliers, and an adder tree in each row. A tree is a heap: node n adds nodes 2 n and
// 2 n + 1, its L leaves are the products, node 1 is the row's sum. So all rows and levels are one loop, which Verilator
// keeps as a loop; synthesis takes the rows apart. Registers need no reset: the tag beside them says which sums are any.
/* verilator lint_off VARHIDDEN */  // parameters may have the names of the package's constants
module mac_rows #(
    parameter int R = 4,
    parameter int C = 4,
    parameter int WW = 8,
    parameter int VW = 9,
    parameter int MULTIPLIER_LATENCY = 1,
    parameter int ADDER_LATENCY = 1
) (
    input  logic                           clk,
    input  logic [             R*C*WW-1:0] weights,
    input  logic [               C*VW-1:0] vector,
    output logic [R*(WW+VW+$clog2(C))-1:0] sums
);
  localparam int L = 1 << $clog2(C);
  localparam int P = WW + VW;
  localparam int S = P + $clog2(C);

`ifdef SYNTHESIS
  localparam bit APART = 1;  // synthesis works on one row, and not on all of them
`else
  localparam bit APART = 0;  // a simulator keeps the loop
`endif
  if (APART && R > 1) begin : g_apart
    for (genvar r = 0; r < R; r++) begin : g_rows
      mac_rows #(
          .R(1), .C(C), .WW(WW), .VW(VW), .MULTIPLIER_LATENCY(MULTIPLIER_LATENCY), .ADDER_LATENCY(ADDER_LATENCY)
      ) row (
          .clk, .weights(weights[r*C*WW+:C*WW]), .vector, .sums(sums[r*S+:S])
      );
    end
  end else begin : g_loop
    // Leaves: products, and behind them the multipliers' registers
    logic signed [P-1:0] product[0:R*L-1];
    logic signed [P-1:0] leaf[0:R*L-1];
    always_comb begin
      for (int r = 0; r < R; r++) begin
        for (int c = 0; c < L; c++) begin
          product[r*L+c] = '0;
          if (c < C) product[r*L+c] = P'($signed(weights[(r*C+c%C)*WW+:WW])) * P'($signed(vector[(c%C)*VW+:VW]));
        end
      end
    end
    if (MULTIPLIER_LATENCY == 0) begin : g_no_multiplier_registers
      always_comb for (int i = 0; i < R * L; i++) leaf[i] = product[i];
    end else begin : g_multiplier_registers
      localparam int N = MULTIPLIER_LATENCY * R * L;
      logic signed [P-1:0] next[0:N-1];
      logic signed [P-1:0] kept[0:N-1];
      always_comb for (int i = 0; i < N; i++) next[i] = i < R * L ? product[i%(R*L)] : kept[(i+N-R*L)%N];
      always_ff @(posedge clk) kept <= next;
      always_comb for (int i = 0; i < R * L; i++) leaf[i] = kept[N-R*L+i];
    end

    // Nodes: a row's node n is number r L + n
    logic signed [S-1:0] added[0:R*L-1];
    if (C == 1) begin : g_no_tree
      logic unused;
      assign unused = &{1'b0, clk};
      always_comb for (int r = 0; r < R; r++) sums[r*S+:S] = leaf[r];
      always_comb for (int r = 0; r < R; r++) added[r] = '0;
    end else if (ADDER_LATENCY == 0) begin : g_no_adder_registers
      always_comb begin
        for (int r = 0; r < R; r++) begin
          added[r*L] = '0;
          for (int n = L - 1; n > 0; n--) begin
            if (2 * n >= L) added[r*L+n] = S'(leaf[r*L+(2*n)%L]) + S'(leaf[r*L+(2*n)%L+1]);
            else added[r*L+n] = added[r*L+2*n] + added[r*L+2*n+1];
          end
        end
      end
      always_comb for (int r = 0; r < R; r++) sums[r*S+:S] = added[r*L+1];
    end else begin : g_adder_registers
      localparam int N = ADDER_LATENCY * R * L;
      logic signed [S-1:0] next[0:N-1];
      logic signed [S-1:0] kept[0:N-1];
      localparam int OUT = N - R * L;
      always_comb begin
        for (int r = 0; r < R; r++) begin
          added[r*L] = '0;
          for (int n = 1; n < L; n++) begin
            if (2 * n >= L) added[r*L+n] = S'(leaf[r*L+(2*n)%L]) + S'(leaf[r*L+(2*n)%L+1]);
            else added[r*L+n] = kept[OUT+r*L+2*n] + kept[OUT+r*L+2*n+1];
          end
        end
      end
      always_comb for (int i = 0; i < N; i++) next[i] = i < R * L ? added[i%(R*L)] : kept[(i+OUT)%N];
      always_ff @(posedge clk) kept <= next;
      always_comb for (int r = 0; r < R; r++) sums[r*S+:S] = kept[OUT+r*L+1];
    end
  end
endmodule
/* verilator lint_on VARHIDDEN */
