"""The command: python -m tools.faults sample | map | run | summary."""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import suppress
from pathlib import Path

# Each job is one thread: what these libraries start by themselves would only make jobs wait for each other.
for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"
os.environ.setdefault("MPLBACKEND", "Agg")

from tools.faults.coverage import Effort  # noqa: E402
from tools.faults.forks import import_others  # noqa: E402
from tools.faults.mapping import make_map, read_map  # noqa: E402
from tools.faults.plan import Planner, imports_of, selection  # noqa: E402
from tools.faults.results import read, summary  # noqa: E402
from tools.faults.run import Options, run  # noqa: E402
from tools.faults.sample import sample  # noqa: E402
from tools.faults.sites import faults_of_tree  # noqa: E402


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 2 for what cannot be asked."""
    options = _parser().parse_args(arguments)
    root = Path(options.root).resolve()
    if not (root / "archsim").is_dir() or not (root / "tests").is_dir():
        print(f"{root} holds no archsim and tests", file=sys.stderr)
        return 2
    if options.command in ("map", "run"):
        _take_all_shares(options.tests_marker)
    if options.command == "sample":
        for fault in sample(root, faults_of_tree(root, "archsim"), options.count, options.seed):
            print(fault.shown())
    elif options.command == "map":
        import_others(root)
        make_map(
            root,
            Path(options.work).resolve(),
            Effort(options.cases, options.case_seconds, options.tests_marker),
            options.jobs,
        )
    elif options.command == "run":
        return _run(options, root)
    else:
        print(summary(read(Path(options.out)), options.tests_marker))
    return 0


def _take_all_shares(marker: str) -> None:
    """Where exhaustive tests are among those that judge, take all of them: by itself a run has one share of 24."""
    with suppress(SyntaxError, ValueError):  # said where the expression is used
        if selection(marker)(("exhaustive",)):
            os.environ["ARCHSIM_LONG"] = "1"


def _run(options: argparse.Namespace, root: Path) -> int:
    work = Path(options.work).resolve()
    try:
        selection(options.tests_marker)
    except (SyntaxError, ValueError):
        print(f"--tests-marker: {options.tests_marker!r} is no expression of markers, and, or and not", file=sys.stderr)
        return 2
    files, blocks = read_map(root, work)
    if not files:
        print(f"no map in {work}: run python -m tools.faults map --work {options.work}", file=sys.stderr)
        return 2
    faults = sample(root, faults_of_tree(root, "archsim"), options.count, options.seed)
    import_others(root)
    how = Options(options.cap_seconds, options.jobs, options.tests_marker)
    run(
        root,
        work,
        Path(options.out).resolve(),
        Planner(files, blocks, imports_of(root, files)),
        faults[options.skip :],
        how,
    )
    print(summary(read(Path(options.out)), options.tests_marker or None))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.faults", description="How strong the tests are.")
    parser.add_argument("--root", default=".", help="the tree (default: this folder)")
    commands = parser.add_subparsers(dest="command", required=True)
    drawn = commands.add_parser("sample", help="list the faults of a sample")
    mapped = commands.add_parser("map", help="find out which tests reach which blocks")
    judged = commands.add_parser("run", help="judge the faults of a sample")
    shown = commands.add_parser("summary", help="shares per package and kind, and the survivors")
    for command in (drawn, judged):
        command.add_argument("--count", type=int, default=300, help="faults (default: 300)")
        command.add_argument("--seed", type=int, default=1)
    for command in (mapped, judged):
        command.add_argument("--work", required=True, help="folder for the map and the copies of the tree")
        command.add_argument("--jobs", type=int, default=1, help="processes at once (default: 1)")
    for command in (judged, shown):
        command.add_argument("--out", required=True, help="the results, lines of JSON")
    mapped.add_argument("--cases", type=int, default=4, help="cases of a parametrized test that run (default: 4)")
    mapped.add_argument("--case-seconds", type=float, default=60.0, help="CPU time of a case (default: 60)")
    mapped.add_argument("--tests-marker", default="", help="the tests to map, as in pytest -m (default: all)")
    judged.add_argument("--cap-seconds", type=float, default=25.0, help="CPU time of a fault, all runs (default: 25)")
    judged.add_argument("--tests-marker", default="", help="which tests judge, as in pytest -m (default: all)")
    judged.add_argument("--skip", type=int, default=0, help="leave out the first faults of the sample")
    shown.add_argument("--tests-marker", default=None, help="kills by runs with this marker alone (default: all)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
