"""Programs that an earlier process has kept on disk: the same figures without building one, and nothing for others."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from types import FunctionType

import pytest

from archsim.api.batch import BatchEvaluator, Designs
from archsim.api.programs import kept_programs, program_cache
from archsim.api.programs.cached_program import CachedProgram
from archsim.api.programs.kept_programs import FILES, read_program
from archsim.api.programs.program_cache import ProgramCache
from archsim.config import parse_override
from archsim.config.files.sources import PACKAGE, sources_of
from archsim.families.load import load_arch
from archsim.families.machine_config import MachineConfig
from archsim.families.registry import build_units
from archsim.families.schedules import find_schedule
from archsim.metrics.unit_facts import SharedFacts
from archsim.workload import load_workload
from tests.rings import exhaustive

SPEC = load_workload("lstm:64,256,t=9").spec
SCHEDULES = ("fused", "hoisted", "split_wavefront")


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def _config(*overrides: str) -> MachineConfig:
    return load_arch("edge_16x16", [parse_override(each) for each in overrides]).config


def _figures(schedule: str, *overrides: str) -> tuple[dict[str, object], ProgramCache]:
    """All figures of a machine from a batch, by a cache of programs that has nothing in this process."""
    programs = ProgramCache(4)
    designs = Designs.from_configs([_config(*overrides)], [schedule])
    (found,) = BatchEvaluator(programs).evaluate(designs, SPEC).figures
    return {name: column.value(0) for name, column in found.columns.items()}, programs


def _read(schedule: str, *overrides: str) -> CachedProgram | None:
    config = _config(*overrides)
    units = tuple(build_units(config))
    return read_program(find_schedule(schedule), config, SPEC, units, SharedFacts())


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_kept_program_gives_the_same_figures_and_is_not_built(schedule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    built, _ = _figures(schedule)

    def refuse(*_: object) -> None:
        raise AssertionError("a program is built")

    monkeypatch.setattr(program_cache, "build_program", refuse)
    monkeypatch.setattr(kept_programs, "build_program", refuse)
    kept, programs = _figures(schedule)
    assert kept == built
    assert programs.built == 1
    # Lanes of the activation unit are nothing to a schedule.
    other, _ = _figures(schedule, "activation.lanes=2")
    assert other["latency_cycles"] != built["latency_cycles"]


def test_the_ops_of_a_kept_program_are_those_that_were_built() -> None:
    config, units = _config(), tuple(build_units(_config()))
    built = ProgramCache(1).find(config, SPEC, "fused", units)
    assert isinstance(built, CachedProgram)
    _figures("fused")
    kept = _read("fused")
    assert kept is not None
    assert kept.reads == built.reads
    assert [(asked.path, asked.answer) for asked in kept.questions] == [(a.path, a.answer) for a in built.questions]
    assert [str(op) for phase in kept.program.phases for op in phase.ops] == [
        str(op) for phase in built.program.phases for op in phase.ops
    ]
    assert [phase.deps for phase in kept.program.phases] == [phase.deps for phase in built.program.phases]


def test_another_value_of_a_field_that_was_read_or_asked_about_is_another_program() -> None:
    _figures("fused")
    assert _read("fused") is not None
    assert _read("fused", "sequencer.queue_depth=2") is not None  # nothing to a schedule
    assert _read("fused", "mac_array.rows=32") is None
    assert _read("fused", "weight_sram.capacity_bytes=64MiB") is None
    assert _read("split") is None


def test_a_program_of_several_batches_is_written_once(tmp_path: Path) -> None:
    """A file that is written again is another one; the sets of fields, if another result has their place, come back."""
    programs, designs = BatchEvaluator(ProgramCache(4)), Designs.from_configs([_config()], ["fused"])
    programs.evaluate(designs, SPEC)
    folder = tmp_path / "archsim" / "programs"
    files = {file.name: file.stat().st_ino for file in folder.iterdir()}
    programs.evaluate(designs, SPEC)
    assert {file.name: file.stat().st_ino for file in folder.iterdir()} == files
    min(folder.iterdir(), key=lambda file: file.stat().st_size).unlink()
    assert _read("fused") is None
    programs.evaluate(designs, SPEC)
    assert _read("fused") is not None


def test_damaged_and_strange_files_are_not_read(tmp_path: Path) -> None:
    _figures("fused")
    files = sorted((tmp_path / "archsim" / "programs").iterdir())
    assert len(files) == 2  # the sets of fields, and the program
    for file in files:
        whole = file.read_bytes()
        file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        assert _read("fused") is None
        file.write_bytes(whole)
    assert _read("fused") is not None


def test_what_runs_a_command_when_it_is_read_is_refused() -> None:
    ran = b"cposix\nsystem\n(S'exit 1'\ntR."  # what pickle writes of a call
    assert kept_programs._read(ran) is None
    assert kept_programs._read(b"") is None
    assert kept_programs._read(b"I1\n.") is None


def test_values_of_other_packages_are_not_kept() -> None:
    def text(value: object) -> str:
        return kept_programs._text(value)

    @dataclasses.dataclass(frozen=True)
    class Strange:
        bits: int

    assert isinstance(text, FunctionType)
    for value in (Strange(8), text, lambda: 1, {1}, 1j):
        with pytest.raises(kept_programs._UnknownError):
            text(value)
    assert len({text(value) for value in (1, 1.0, True, "1", (1,), ((1,),), None, b"1")}) == 8


def test_the_digest_is_of_all_sources_that_a_program_is_made_by() -> None:
    """What the packages import is among them, but for errors, of which nothing is kept."""
    own = {f"archsim.{folder.replace('/', '.')}" for folder in kept_programs.SOURCES}
    files = sources_of(*(PACKAGE / folder for folder in kept_programs.SOURCES))
    imports = re.compile(r"^\s*(?:from|import) (archsim[\w.]*)", re.MULTILINE)
    imported = {module for path in files for module in imports.findall(path.read_text(encoding="utf-8"))}
    assert kept_programs.__package__ in own
    others = {module for module in imported if not any(f"{module}.".startswith(f"{each}.") for each in own)}
    assert others == {"archsim.errors"}


def test_nothing_is_kept_where_there_is_no_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    _figures("fused")
    assert FILES.folder is not None
    assert _read("fused") is None


@exhaustive
@pytest.mark.parametrize("more", [0, 1])
def test_only_programs_of_enough_ops_are_kept(more: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """To the op: those of all phases, each once however often it is repeated."""
    units = tuple(build_units(_config()))
    ops = sum(len(phase.ops) for phase in ProgramCache(1).get(_config(), SPEC, "fused", units).program.phases)
    monkeypatch.setattr(kept_programs, "FEWEST_OPS", ops + more)
    _figures("fused")
    assert (_read("fused") is None) == bool(more)
