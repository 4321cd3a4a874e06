"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from archsim.cli.completion import complete_arch, complete_schedule, complete_workload

if TYPE_CHECKING:
    from archsim.api.evaluate import Evaluator
    from archsim.api.ranking import Ranking
    from archsim.families.load import Arch
    from archsim.workload import Workload

DEFAULT_ARCH = "edge_64x64"
DEFAULT_WORKLOAD = "lstm_200_1000_t70"
DEFAULT_SCHEDULE = None

ArchArgument = Annotated[
    str,
    typer.Argument(metavar="ARCH", help="Architecture: a preset's name or a .yaml file.", autocompletion=complete_arch),
]
WorkloadArgument = Annotated[
    str,
    typer.Argument(
        metavar="WORKLOAD",
        help="Workload: a preset's name, a .yaml file, or inline as lstm:200,1000,t=70,b=1.",
        autocompletion=complete_workload,
    ),
]
ScheduleOption = Annotated[
    str | None,
    typer.Option(
        "--schedule",
        "-s",
        metavar="SCHEDULE",
        autocompletion=complete_schedule,
        help="How to order the work; see archsim list [default: the first there for the machine]. best, best-step or "
        "best-energy: all are simulated, and the one that takes least is taken.",
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="Change a field, e.g. mac_array.rows=32 or steps=10; repeatable."),
]
ExecutorOption = Annotated[
    str,
    typer.Option(
        "--executor", metavar="auto|fast|machine", help="What times the run: the machine, or the compiled recurrence."
    ),
]
ActivityOption = Annotated[
    Path | None,
    typer.Option(
        "--activity",
        metavar="FILE|NAME",
        help="The columns that each step of a delta network multiplies: a file, a line a step, or one that ships "
        "(archsim list activities); for machines that skip columns.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
DebugOption = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]


def load_inputs(
    arch: str, workload: str, sets: list[str] | None, activity: Path | None = None
) -> tuple[Arch, Workload]:
    """Load both inputs; an override goes to the one that has a field of that name, `activity` to the workload."""
    from archsim.cli.input_order import check_inputs
    from archsim.config import parse_override
    from archsim.errors import ArchError

    check_inputs(arch, workload, altered=bool(sets))
    from archsim.cli.set_option import Sets  # what follows takes ten times as long to import
    from archsim.families.load import arch_model, load_arch, load_workload_for

    if not sets:
        machine = load_arch(arch)
        return machine, load_workload_for(machine, workload, (), activity)
    overrides = [parse_override(text) for text in sets]
    given = Sets.make(overrides, arch_model(arch, overrides))
    try:
        machine = load_arch(arch, given.arch)
    except ArchError as error:
        raise ArchError((*error.faults, *given.faults)) from error
    if given.faults:
        raise ArchError(given.faults)
    return machine, load_workload_for(machine, workload, given.workload, activity)


def ranked(schedule: str | None, arch: Arch, workload: Workload, evaluator: Evaluator | None = None) -> Ranking | None:
    """All schedules, best first, if the best one is asked for; else None. `evaluator`: one that keeps the programs."""
    if schedule is None or not schedule.startswith("best"):
        return None
    from archsim.api.ranking import asked_best, rank_schedules
    from archsim.cli.progress import design_progress

    by = asked_best(schedule)
    if by is None:
        return None
    with design_progress("schedules") as progress:
        return rank_schedules(arch, workload, by, evaluator, progress)


def chosen(schedule: str | None, arch: Arch, workload: Workload) -> str | None:
    """The schedule that is asked for by name; of the best one its name."""
    ranking = ranked(schedule, arch, workload)
    return schedule if ranking is None else ranking.best.name
