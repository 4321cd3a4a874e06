"""How strong the tests are: single faults are planted in copies of the package, and the tests run against each.

A fault is a small change of one expression of archsim/ (see `tools.faults.kinds`). A sample is drawn with a seed,
stratified by package. Each fault is judged in a scratch copy of the tree by the tests that reach its block of code,
nearest and cheapest first, until one fails (the fault is *killed*), the budget of CPU time is spent (*capped*), or all
of them have passed (*survived*). Modules that do not import any more count as killed, and so do hangs: what hangs is
judged once more with time to compile, since a copy's compiled code is not there at first.

    python -m tools.faults sample --count 300 --seed 1                 which faults
    python -m tools.faults map --work /tmp/faults                      which tests reach which blocks (once a tree)
    python -m tools.faults run --work /tmp/faults --out faults.jsonl --count 300 --cap-seconds 25 --jobs 2
    python -m tools.faults summary --out faults.jsonl                  shares per package and kind, and the survivors

A run continues where its results file ends: what is killed or has survived is left alone; what was capped continues
with the tests that it has not met, if the cap has grown. `--tests-marker "not exhaustive"` judges with the tests that a
marker expression selects; a second run without it judges what survived with the others, and
`summary --tests-marker ...` counts the kills of one ring alone.

How it works, file by file:

- `kinds` and `sites`: the faults that one expression admits, and where faults may stand; `sample` draws.
- `blocks`: straight runs of statements, counted as they are entered; numba's functions count where they are named.
- `tree`, `forks`: scratch copies; processes that are forked from one that has loaded all other packages already, so
  that a fault costs no second of imports. The parent never imports archsim.
- `coverage`: the map. A few cases of each parametrized test run, the others are taken to reach what those reach.
- `plan`: the tests of a fault, in order; `judge` runs them in one process; `results` keeps and sums up.

Bounds: what a test reaches in subprocesses is not seen, so faults are judged without it; a function whose result is
cached (functools.cache) counts for the first test of a process only. Both make the share of killed faults smaller,
never larger.
Faults that change nothing anyone could see (equivalent mutants) are not told apart from gaps: the share has a ceiling
below one.
"""
