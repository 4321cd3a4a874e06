"""Puts designs beside each other: what differs in their inputs, and their figures."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from archsim.api.compare_names import names_apart, repeated_note
from archsim.api.evaluate import Evaluator
from archsim.api.frames import measure_frames
from archsim.api.inputs import AnyArch, AnyWorkload, as_arch
from archsim.api.ranking import asked_best, rank_schedules
from archsim.config import Override
from archsim.config.text import one_line
from archsim.errors import ArchError, ArchsimError, CapacityError, Fault
from archsim.families.load import Arch, load_arch
from archsim.families.schedule import Schedule
from archsim.families.schedules import find_schedule
from archsim.metrics import Stats
from archsim.metrics.declare import Metric
from archsim.metrics.energy import Area, Energy
from archsim.metrics.frames import Frames
from archsim.metrics.run_folder import check_run_folder
from archsim.metrics.saved_stats import read_stats
from archsim.technology.comparable import chain_note
from archsim.workload import Workload, load_workload


@dataclass(frozen=True, slots=True)
class Row:
    """The figures of one design; None where there are none, and of a design that cannot run."""

    arch: Annotated[str, Metric("", "the machine, as it was given")]
    workload: Annotated[str, Metric("", "the workload")]
    schedule: Annotated[str, Metric("", "the schedule")]
    latency_cycles: Annotated[int | None, Metric("cycles", "of the whole run, from cold; none of a stream")] = None
    latency_us: Annotated[float | None, Metric("us", "the same at the machine's clock")] = None
    cycles_per_step: Annotated[float | None, Metric("cycles", "a time step in the steady state; none of a stream")] = (
        None
    )
    frame_latency_cycles: Annotated[int | None, Metric("cycles", "of a frame of a stream, on a machine that is on")] = (
        None
    )
    frame_latency_us: Annotated[float | None, Metric("us", "the same at the machine's clock")] = None
    frame_interval_cycles: Annotated[float | None, Metric("cycles", "from a frame to the next")] = None
    frame_interval_us: Annotated[float | None, Metric("us", "the same at the machine's clock")] = None
    headroom: Annotated[float | None, Metric("", "so many times as many frames could come in the period")] = None
    p99_latency_cycles: Annotated[int | None, Metric("cycles", "99 of 100 frames are out no later, as they come")] = (
        None
    )
    missed_deadlines: Annotated[int | None, Metric("frames", "how many were out later")] = None
    mac_utilization: Annotated[float | None, Metric("1", "useful share of the multipliers; none of a stream")] = None
    frame_mac_utilization: Annotated[float | None, Metric("1", "of a stream, frame after frame")] = None
    energy_uj: Annotated[float | None, Metric("uJ", "of the run; none of a stream")] = None
    energy_low_uj: Annotated[float | None, Metric("uJ", "the same at the lowest that sources give")] = None
    energy_high_uj: Annotated[float | None, Metric("uJ", "the same at the highest that sources give")] = None
    frame_energy_uj: Annotated[float | None, Metric("uJ", "of a frame of a stream")] = None
    frame_energy_low_uj: Annotated[float | None, Metric("uJ", "the same at the lowest that sources give")] = None
    frame_energy_high_uj: Annotated[float | None, Metric("uJ", "the same at the highest that sources give")] = None
    frame_idle_energy_uj: Annotated[
        float | None, Metric("uJ", "the part of it that leaks while nothing is to be done")
    ] = None
    frame_idle_energy_low_uj: Annotated[float | None, Metric("uJ", "the same at the lowest that sources give")] = None
    frame_idle_energy_high_uj: Annotated[float | None, Metric("uJ", "the same at the highest that sources give")] = None
    area_mm2: Annotated[float | None, Metric("mm2", "of the chip")] = None
    area_low_mm2: Annotated[float | None, Metric("mm2", "the same at the lowest that sources give")] = None
    area_high_mm2: Annotated[float | None, Metric("mm2", "the same at the highest that sources give")] = None
    edp_uj_us: Annotated[float | None, Metric("uJ us", "energy times latency; of a stream, a frame's")] = None
    largest_loss: Annotated[str | None, Metric("", "where most cycles of the multipliers went but to useful work")] = (
        None
    )
    largest_loss_share: Annotated[float | None, Metric("1", "as a part of the run; of a stream, of the frame")] = None
    cold_start_cycles: Annotated[
        int | None, Metric("cycles", "of a stream: all its frames from cold, loading included; another question")
    ] = None
    misfit: Annotated[str | None, Metric("", "why the design cannot run")] = None

    @property
    def answer_us(self) -> float | None:
        """The latency that answers: of a stream that of a frame, else of the run."""
        return self.latency_us if self.frame_latency_us is None else self.frame_latency_us


@dataclass(frozen=True, slots=True)
class Difference:
    """A field of the inputs that is not the same in all designs: its path, and its value by design."""

    field: str
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True, repr=False)
class Comparison:
    """Designs beside each other: what differs in machines and in workloads, then a row a design, and what to note."""

    machines: tuple[Difference, ...]
    workloads: tuple[Difference, ...]
    rows: tuple[Row, ...]
    overrides: tuple[str, ...] = ()
    """What was set in all of them."""
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """One line: how many designs, and the fastest of them."""
        able = [row for row in self.rows if row.answer_us is not None]
        best = min(able, key=lambda row: row.answer_us or 0.0, default=None)
        fastest = "" if best is None else f"; fastest: {best.arch}, {best.workload}, {best.answer_us:,.4g} us"
        return f"<{len(self.rows):,} designs compared{fastest}>"


def compare(
    machines: Sequence[AnyArch],
    workloads: Sequence[AnyWorkload] = (),
    schedules: Sequence[str] = (),
    arch_overrides: Sequence[Override] = (),
    workload_overrides: Sequence[Override] = (),
) -> Comparison:
    """Compare machines (presets, files, folders of results, or what was loaded) on workloads with schedules.

    A folder of results stands for the run that it holds, or, if workloads or schedules are given, for its machine.
    Schedules are names, or "best"; the machine's first if there are none. Overrides change what is loaded by a name, a
    path or from a folder, all of it. Of what was loaded before, those of one name are told apart by what was set in
    each. What cannot run is a row that says why. Raises ArchError or WorkloadError for inputs that cannot be read,
    ScheduleError for a name that no machine has.
    """
    saved = not workloads and not schedules
    texts = tuple(f"{one.path}={one.value}" for one in (*arch_overrides, *workload_overrides))
    archs: dict[str, Arch] = {}
    works: dict[str, Workload] = {}
    rows: list[Row] = []
    evaluator = Evaluator()
    references = names_apart(machines)
    asked = workloads or (_DEFAULT_WORKLOAD,)
    names = names_apart(asked)
    for reference, machine in zip(references, machines, strict=True):
        folder = None if isinstance(machine, Arch) else Path(str(machine))
        if folder is not None and folder.is_dir():
            check_run_folder(folder)
            if saved and texts:
                message = "is a run that is over, which --set cannot change; with -w or -s its machine is simulated"
                raise ArchError((Fault(reference, "", message),))
            archs[reference] = load_arch(str(folder / "arch.yaml"), arch_overrides)
            if saved:
                works[reference] = load_workload(str(folder / "workload.yaml"))
                rows.append(_saved_row(reference, folder))
                continue
        else:
            archs[reference] = as_arch(machine) if folder is None else load_arch(str(machine), arch_overrides)
        for text, work in zip(names, asked, strict=True):
            if text not in works:
                works[text] = work if isinstance(work, Workload) else load_workload(str(work), workload_overrides)
            found = [
                _row(reference, archs[reference], works[text], schedule, evaluator) for schedule in schedules or (None,)
            ]
            rows += [dataclasses.replace(row, workload=text) for row in found] if isinstance(work, Workload) else found
    return Comparison(
        tuple(_differences({name: arch.config.model_dump(mode="json") for name, arch in archs.items()})),
        tuple(_differences({name: work.config.model_dump(mode="json") for name, work in works.items()})),
        tuple(rows),
        texts,
        tuple(filter(None, [repeated_note(references), chain_note(_technologies(archs.values()))])),
    )


def _technologies(archs: Iterable[Arch]) -> Iterator[str]:
    for arch in archs:
        if arch.config.costing is not None:
            yield arch.config.costing.technology


_DEFAULT_WORKLOAD = "lstm_200_1000_t70"


def _row(reference: str, arch: Arch, workload: Workload, asked: str | None, evaluator: Evaluator) -> Row:
    """A design's figures; of one that cannot run the reason."""
    name = asked or ""
    try:
        by = asked_best(asked)
        schedule: Schedule[Any]
        schedule = rank_schedules(arch, workload, by).best if by else find_schedule(asked, arch.config.family)
        name = schedule.name
        stats = evaluator.evaluate(arch, workload, schedule).stats
        frames = measure_frames(arch, workload, schedule, evaluator) if workload.spec.streaming else None
    except CapacityError as error:
        return Row(reference, workload.name, name, misfit=error.short)
    except ArchsimError as error:
        return Row(reference, workload.name, name, misfit=one_line(str(error)))
    return _figures(reference, stats, frames)


def _figures(reference: str, stats: Stats, frames: Frames | None) -> Row:
    area = _area(None if stats.area is None else _plain(stats.area))
    if frames is not None:
        return _stream_row(
            reference, dataclasses.asdict(frames), stats.workload, stats.schedule, area, stats.latency_cycles
        )
    energy = _energy(None if stats.energy is None else _plain(stats.energy), stats.latency_us)
    loss, share = _largest_loss(stats.cycle_stack, stats.latency_cycles)
    return Row(
        reference,
        stats.workload,
        stats.schedule,
        stats.latency_cycles,
        stats.latency_us,
        stats.cycles_per_step,
        mac_utilization=stats.mac_utilization,
        **energy,
        **area,
        largest_loss=loss,
        largest_loss_share=share,
    )


def _plain(found: Energy | Area) -> Mapping[str, Any]:
    """The figures of energy or area by name, as stats.json has them."""
    return {field.name: getattr(found, field.name) for field in dataclasses.fields(found)}


def _energy(energy: Mapping[str, Any] | None, latency_us: float) -> dict[str, Any]:
    """The columns on a run's energy; none of a machine without a model of it."""
    if energy is None:
        return {}
    total = float(energy["total_uj"])
    ends = {f"energy_{end}_uj": float(energy[f"total_{end}_uj"]) for end in ("low", "high")}
    return {"energy_uj": total, **ends, "edp_uj_us": total * latency_us}


def _area(area: Mapping[str, Any] | None) -> dict[str, Any]:
    """The columns on a machine's area."""
    names = ("area_mm2", "area_low_mm2", "area_high_mm2")
    return {} if area is None else {name: float(area[name]) for name in names}


_SAME = (
    "frame_latency_cycles",
    "frame_latency_us",
    "frame_interval_cycles",
    "frame_interval_us",
    "headroom",
    "frame_mac_utilization",
    "frame_energy_uj",
    "frame_energy_low_uj",
    "frame_energy_high_uj",
    "frame_idle_energy_uj",
    "frame_idle_energy_low_uj",
    "frame_idle_energy_high_uj",
)
"""Figures of a frame that stand in a row under their own names."""


def _stream_row(
    reference: str,
    frames: Mapping[str, Any],
    workload: str,
    schedule: str,
    area: Mapping[str, Any],
    cold_cycles: int,
) -> Row:
    """The row of a stream, from the figures of a frame by name, as `Frames` and stats.json have them."""
    energy, arrivals = frames["frame_energy_uj"], frames["arrivals"]
    loss, share = _largest_loss(_by_unit(frames["latency_stack"]), frames["frame_latency_cycles"])
    return Row(
        reference,
        workload,
        schedule,
        **{name: frames[name] for name in _SAME},
        p99_latency_cycles=None if arrivals is None else arrivals["p99_cycles"],
        missed_deadlines=None if arrivals is None else arrivals["missed_deadlines"],
        **area,
        edp_uj_us=None if energy is None else energy * frames["frame_latency_us"],
        largest_loss=loss,
        largest_loss_share=share,
        cold_start_cycles=cold_cycles,
    )


def _largest_loss(stack: Mapping[str, int], total: int) -> tuple[str | None, float | None]:
    losses = {name: cycles for name, cycles in stack.items() if name != "useful" and cycles}
    if not losses or not total:
        return None, None
    largest = max(losses, key=lambda name: losses[name])
    return largest, losses[largest] / total


def _by_unit(stack: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    """The causes of a latency stack by the names of unit and cause; all that is useful together."""
    found = {f"{unit} {cause}": cycles for unit, causes in stack.items() for cause, cycles in causes.items()}
    return {name: cycles for name, cycles in found.items() if not name.endswith(" useful")}


def _saved_row(reference: str, folder: Path) -> Row:
    """The row of a run's results; ArchError if its stats.json is none of archsim's."""
    file = folder / "stats.json"
    try:
        found = read_stats(file)
        area = _area(found["area"])
        workload, schedule = one_line(str(found["workload"])), one_line(str(found["schedule"]))
        cycles = int(found["latency_cycles"])
        if "frame_latency_cycles" in found:
            return _stream_row(reference, found, workload, schedule, area, cycles)
        loss, share = _largest_loss(found["cycle_stack"], cycles)
        return Row(
            reference,
            workload,
            schedule,
            cycles,
            float(found["latency_us"]),
            float(found["cycles_per_step"]),
            mac_utilization=float(found["mac_utilization"]),
            **_energy(found["energy"], float(found["latency_us"])),
            **area,
            largest_loss=loss,
            largest_loss_share=share,
        )
    except OSError as error:
        raise ArchError((Fault(str(file), "", f"cannot be read: {error.strerror or error}"),)) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ArchError((Fault(str(file), "", "is no stats.json of this archsim; run the design again"),)) from error


def _differences(documents: Mapping[str, Mapping[str, Any]]) -> Iterator[Difference]:
    """The fields whose values are not the same in all documents, in the order in which they first stand."""
    flat = {name: dict(_flattened(document)) for name, document in documents.items()}
    for field in dict.fromkeys(field for fields in flat.values() for field in fields):
        values = {name: fields.get(field, "-") for name, fields in flat.items()}
        if len(set(values.values())) > 1:
            yield Difference(field, values)


def _flattened(document: Mapping[str, Any], path: str = "") -> Iterable[tuple[str, str]]:
    for key, value in document.items():
        if isinstance(value, dict):
            yield from _flattened(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", "-" if value is None else str(value)
