"""The command `archsim explore`: many designs of a space, and the best of them."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from archsim.cli.completion import complete_space
from archsim.cli.exit_codes import EXIT_BUG
from archsim.cli.options import DebugOption, JsonOption
from archsim.errors import one_line

MOST_DIGITS = 4000
"""The most digits of the number of a point: Python reads no more."""


def explore_command(
    space: Annotated[
        str,
        typer.Argument(
            metavar="SPACE", help="Design space: a preset's name or a .yaml file.", autocompletion=complete_space
        ),
    ],
    point: Annotated[
        list[str] | None,
        typer.Argument(metavar="[DIR POINT]", help="After `show`: a folder of an exploration, and a point's number."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for journal and results [default: results/explore-SPACE].")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the journal in the folder.")] = False,
    budget: Annotated[int | None, typer.Option(min=1, help="Points to look at [default: the space's].")] = None,
    seed: Annotated[int | None, typer.Option(min=0, max=2**32 - 1, help="Seed of the sampler.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, max=1024, help="Local processes [default: one a core].")] = None,
    dask: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="A Dask scheduler, as tcp://10.0.0.1:8786.")
    ] = None,
    parts: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Where many points are kept, as s3://bucket/folder.")
    ] = None,
    executor: Annotated[str, typer.Option(help="How designs are timed: auto, fast or machine.")] = "auto",
    no_prune: Annotated[
        bool, typer.Option("--no-prune", help="Evaluate designs whose bounds are dominated too.")
    ] = False,
    no_plots: Annotated[bool, typer.Option("--no-plots", help="Draw no figures.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show no progress and print no table.")] = False,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> int:
    """Explore a design space: a Pareto front, tables and plots; resumable after Ctrl-C, a crash or a power cut.

    `archsim explore show DIR POINT` prints every figure of one of its points.
    """
    if point:
        return _show(space, point, json)
    from archsim.explore.run.local_process import early_process

    with early_process(workers if dask is None else 1) as early:  # before anything else is loaded
        from archsim.cli.explore_progress import ExploreProgress
        from archsim.errors import ArchsimError, Interrupted, OutputError
        from archsim.explore import Space, Status, explore
        from archsim.explore.results.write_results import TEXT_WIDTH, study_json, study_text, write_results
        from archsim.explore.run.journal import NAME as JOURNAL

        if executor not in ("auto", "fast", "machine"):
            raise ArchsimError(f"--executor {executor[:60]}: expected auto, fast or machine")
        found = Space.load(space).with_budget(budget, seed)
        target = out or Path("results") / f"explore-{found.name}"
        if resume and not (target / JOURNAL).exists():
            print(
                f"archsim: note: {one_line(str(target))}: has no journal to go on from; a new exploration begins",
                file=sys.stderr,
            )
        with ExploreProgress(hidden=quiet) as progress:
            try:
                study = explore(
                    found,
                    out=target,
                    resume=resume,
                    workers=workers,
                    dask=dask,
                    executor=executor,
                    prune=False if no_prune else None,
                    parts=parts,
                    watcher=progress,
                    early=early,
                )
            except Interrupted as stop:
                raise Interrupted(f"{stop}: {_again(space, target)}") from None
    try:
        notes = write_results(study, target, plots=not no_plots)
    except KeyboardInterrupt:
        raise Interrupted(f"stopped; {_kept(target)}: {_again(space, target)}") from None
    except OutputError as error:
        raise OutputError(f"{error}; {_kept(target)}: {_again(space, target)}") from error
    if study.dropped:
        notes.append(f"{study.dropped} torn lines of the journal were dropped and their points repeated")
    if study.dropped_parts:
        notes.append(f"{study.dropped_parts} damaged parts were dropped and their points repeated")
    if json:
        sys.stdout.write(study_json(study, notes))
    else:
        for note in notes:
            print(f"archsim: note: {one_line(note)}", file=sys.stderr)
    if not (json or quiet):
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else TEXT_WIDTH
        sys.stdout.write(study_text(study, width))
        rate = f"{study.simulated:,} designs looked at now, {study.designs_per_second:,.1f} a second"
        alone = "".join(f"  one by one: {count:,}, as {why}\n" for why, count in study.alone.items())
        sys.stdout.write(f"\n{rate}\n{alone}Results: {one_line(str(target))}/\n")
    return EXIT_BUG if study.count(Status.FAILED) else 0


def _show(word: str, arguments: list[str], as_json: bool) -> int:
    from archsim.errors import ArchsimError
    from archsim.explore.results.shown_point import point_json, point_text
    from archsim.explore.run.outcome import Kind
    from archsim.explore.run.show import show_point

    if word != "show" or len(arguments) != 2 or not arguments[1].isdecimal() or len(arguments[1]) > MOST_DIGITS:
        raise ArchsimError("expected one SPACE, or show DIR POINT with the number of a point")
    found = show_point(Path(arguments[0]), int(arguments[1]))
    sys.stdout.write(point_json(found) if as_json else point_text(found))
    return EXIT_BUG if found.outcome is not None and found.outcome.kind is Kind.FAILED else 0


def _kept(target: Path) -> str:
    """What is not lost where the results of finished designs are not written."""
    return f"all designs are on disk in {target}, and --resume writes the results"


def _again(space: str, target: Path) -> str:
    """The command line that continues an exploration: the same, with --resume and the folder."""
    given = [word for word in sys.argv[1:] if word != "--resume"] or ["explore", space]
    named = any(word == "--out" or word.startswith("--out=") for word in given)
    return shlex.join(["archsim", *given, *([] if named else ["--out", str(target)]), "--resume"])
