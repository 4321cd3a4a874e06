// Brings N wide integers into W bits each: adds the zero point, then saturates or wraps.
/* verilator lint_off VARHIDDEN */  // parameters may have the names of the package's constants
module narrow #(
    parameter int WI = 64,
    parameter int W = 8,
    parameter bit WRAP = 0,
    parameter int N = 1
) (
    input  logic        [N*WI-1:0] v,
    input  logic signed [    15:0] zero,
    output logic        [ N*W-1:0] y
);
  localparam int WS = WI + 1 > 17 ? WI + 1 : 17;
  localparam logic signed [WS-1:0] HIGHEST = (WS'(1) << (W - 1)) - 1;
  localparam logic signed [WS-1:0] LOWEST = -(WS'(1) << (W - 1));
`ifdef SYNTHESIS
  localparam bit APART = 1;  // synthesis works on one number, and not on all of them
`else
  localparam bit APART = 0;  // a simulator keeps the loop
`endif
  if (APART && N > 1) begin : g_apart
    for (genvar i = 0; i < N; i++) begin : g_numbers
      narrow #(.WI(WI), .W(W), .WRAP(WRAP)) one (.v(v[i*WI+:WI]), .zero, .y(y[i*W+:W]));
    end
  end else begin : g_loop
    logic signed [WS-1:0] sum;
    always_comb begin
      for (int i = 0; i < N; i++) begin
        sum = WS'($signed(v[i*WI+:WI])) + WS'(zero);
        y[i*W+:W] = sum[W-1:0];
        if (!WRAP && sum > HIGHEST) y[i*W+:W] = HIGHEST[W-1:0];
        if (!WRAP && sum < LOWEST) y[i*W+:W] = LOWEST[W-1:0];
      end
    end
  end
endmodule
/* verilator lint_on VARHIDDEN */
