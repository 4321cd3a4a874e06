"""A machine that can be followed by hand: two rows by two columns, LSTM(3, 2), two time steps.

Prints the ops of a time step as the machine executes them, and what the output is. The page
docs/microarchitecture/cycles.md derives such a run op by op.
"""

from __future__ import annotations

from archsim import simulate

run = simulate("tiny_2x2", "lstm:3,2,t=2")
print(run)

print("\nThe ops of time step 1, and the cycles in which they start, leave their unit, and have their results there")
ops = run.ops()
columns = ("label", "unit", "start_cycle", "free_cycle", "done_cycle", "waited_for")
print("  " + f"{'op':<16}{'unit':<14}{'start':>6}{'free':>6}{'done':>6}  its unit stood still, waiting for")
for row in zip(*(ops[name][ops["step"] == 1].tolist() for name in columns), strict=True):
    label, unit, start, free, done, waited_for = row
    print(f"  {label:<16}{unit:<14}{start:>6}{free:>6}{done:>6}  {waited_for}".rstrip())

assert run.results is not None
print("\nWhat it computed, in float32: output (T, B, H)")
print(run.results.output.round(4))
print(run.validation.passed, "- within 1e-5 of the same LSTM in float64")
