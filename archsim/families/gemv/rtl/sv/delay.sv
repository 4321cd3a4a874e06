// A shift register: q is d of N cycles before. N = 0 is a wire.
/* verilator lint_off VARHIDDEN */  // parameters may have the names of the package's constants
module delay #(
    parameter int W = 1,
    parameter int N = 1
) (
    input  logic         clk,
    input  logic         rst,
    input  logic [W-1:0] d,
    output logic [W-1:0] q
);
  if (N == 0) begin : g_wire
    logic unused;
    assign unused = &{1'b0, clk, rst};
    assign q = d;
  end else begin : g_stages
    logic [N*W-1:0] stages;
    always_ff @(posedge clk) begin
      if (rst) stages <= '0;
      else stages <= (N*W)'({stages, d});
    end
    assign q = stages[(N-1)*W+:W];
  end
endmodule
/* verilator lint_on VARHIDDEN */
