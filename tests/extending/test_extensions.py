"""What other packages offer: found by name, refused in one line where it cannot be used."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from archsim.api import simulate
from archsim.config.extensions import forget_extensions
from archsim.errors import ExtensionError, ExtensionWarning, ScheduleError
from archsim.families.gemv.family import GEMV
from archsim.families.gemv.order import WorkOrder
from archsim.families.gemv.schedule import GemvSchedule, gemv_schedule
from archsim.families.gemv.split import split
from archsim.families.load import load_arch
from archsim.families.registry import all_families, find_family
from archsim.families.schedule import Schedule
from archsim.families.schedules import build_program, find_schedule, schedules_of
from archsim.workload import NetworkSpec, load_workload
from tests.rings import few

MODULE = """
from archsim.families.gemv.order import WorkOrder
from archsim.families.gemv.schedule import gemv_schedule
from archsim.families.gemv.split import split
EAGER = gemv_schedule(WorkOrder("eager", True, split, splits_sums=True), "split under another name")
NUMBER = 3
"""


@pytest.fixture
def offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of installed packages, in which a test writes entry points."""
    (tmp_path / "offered_here.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    forget_extensions()
    yield tmp_path
    forget_extensions()


def offer(folder: Path, text: str, package: str = "offered") -> None:
    info = folder / f"{package}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(text)
    forget_extensions()


def eager(splits_sums: bool) -> GemvSchedule:
    """The body of `split` under a name that says nothing of it."""
    return gemv_schedule(WorkOrder("eager", True, split, splits_sums=splits_sums), "split under another name")


@dataclass(frozen=True)
class Broken(Schedule[Any]):
    """A schedule whose author made a mistake."""

    made: Callable[[], Any]
    name = "broken"
    summary = "does not build"
    family = "gemv"
    splits_sums = False
    interleaves_gates = True

    def build(self, spec: NetworkSpec, config: Any) -> Any:
        return self.made()


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: dict[str, int]()["cell"], "broken: cannot build a program: KeyError: 'cell'"),
        (lambda: None, "broken: build must return a Program, got NoneType"),
    ],
)
def test_a_schedule_that_does_not_build_is_named_in_one_line(made: Callable[[], Any], message: str) -> None:
    with pytest.raises(ExtensionError, match=f"^archsim.schedules: {message}$"):
        simulate(load_arch("tiny_2x2"), load_workload("lstm_3_2_t4"), Broken(made))


def test_a_bug_of_a_schedule_of_archsim_s_own_is_no_other_package_s(monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends as what it is, an error that is not archsim's by type, and no package is told to mend it."""

    def wrong(self: object, spec: NetworkSpec, config: object) -> object:
        raise KeyError("cell")

    own = find_schedule("fused")
    monkeypatch.setattr(type(own), "build", wrong)
    with pytest.raises(KeyError, match="cell"):
        build_program(own, load_workload("lstm_3_2_t4").spec, load_arch("tiny_2x2").config)


def test_arguments_of_another_type_are_said_to_be() -> None:
    arch, workload = load_arch("tiny_2x2"), load_workload("lstm_3_2_t4")
    with pytest.raises(TypeError, match="an architecture is a preset's name, a path or .*, not int"):
        simulate(2, workload)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="not as int"):
        simulate(arch, workload, 3)  # type: ignore[arg-type]


def test_archsim_s_own_schedules_need_no_other_package(offered: Path) -> None:
    """An entry that cannot be imported stops only those who ask for a name that archsim does not have."""
    offer(offered, "[archsim.schedules]\nbad = no_such_module:BAD\n")
    assert find_schedule("fused").name == "fused_interleaved"
    with pytest.raises(ExtensionError, match="cannot be imported"):
        find_schedule("bad")
    with (
        pytest.warns(ExtensionWarning, match="^left out: archsim.schedules: 'bad' = 'no_such_module:BAD' of offered"),
        pytest.raises(ScheduleError, match="--schedule other: no such schedule; allowed: fused_interleaved, .*"),
    ):
        find_schedule("other")


@pytest.mark.parametrize(("workload", "numbers"), few([("lstm:40,64,t=20", 20 * 64), ("silero_vad", 310 * 128)], 1))
def test_a_schedule_object_is_exact_whatever_its_name_is(workload: str, numbers: int) -> None:
    """In q4.12, where W_ih x is rounded before W_hh h is added or not: all numbers are equal in every bit.

    Of silero_vad's 39,680, judged by the name, 18,680 were called wrong.
    """
    run = simulate(load_arch("edge_64x64_q4_12"), load_workload(workload), eager(splits_sums=True))
    assert run.validation.passed
    output = run.validation.checks[0]
    assert (output.compared_numbers, output.differing_numbers) == (numbers, 0)
    assert run.schedule.name == run.stats.schedule == "eager"


@pytest.mark.parametrize("workload", ["lstm:3,2,t=2", "rnn:3,2,t=2"])
def test_a_wrong_declaration_is_refused_with_the_op_that_shows_it(workload: str) -> None:
    with pytest.raises(ScheduleError, match=r"schedule eager: 'mac_h.*' adds W_hh h to sums that were rounded"):
        simulate(load_arch("tiny_2x2"), load_workload(workload), eager(splits_sums=False))


def test_an_offered_schedule_is_found_by_name_for_its_family_alone(offered: Path) -> None:
    offer(offered, "[archsim.schedules]\neager = offered_here:EAGER\n")
    assert find_schedule("eager", "gemv").summary == "split under another name"
    with pytest.raises(ScheduleError, match="eager: is for machines of the family gemv; this one is of the family npu"):
        find_schedule("eager", "npu")


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (
            "eager = offered_here:NUMBER",
            "archsim.schedules: 'eager' = 'offered_here:NUMBER' of offered: expected an instance of Schedule, got int",
        ),
        ("eager = not_there:EAGER", "cannot be imported: ModuleNotFoundError: No module named 'not_there'"),
        ("other = offered_here:EAGER", "of offered: the entry must have the name of its schedule, which is 'eager'"),
    ],
)
def test_what_cannot_be_used_is_one_line(offered: Path, entry: str, message: str) -> None:
    offer(offered, f"[archsim.schedules]\n{entry}\n")
    with pytest.raises(ExtensionError) as caught:
        find_schedule(entry.split()[0])
    assert message in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_two_packages_cannot_offer_one_name(offered: Path) -> None:
    offer(offered, "[archsim.schedules]\neager = offered_here:EAGER\n", "first")
    offer(offered, "[archsim.schedules]\neager = offered_here:EAGER\n", "second")
    with pytest.warns(ExtensionWarning, match="another installed package offers eager too"):
        assert schedules_of(GEMV) == GEMV.schedules
    with pytest.raises(ExtensionError, match="another installed package offers eager too"):
        find_schedule("eager")


def test_names_of_archsim_itself_cannot_be_taken(offered: Path) -> None:
    offer(offered, "[archsim.families]\ngemv = archsim.families.npu.family:NPU\n")
    with pytest.warns(ExtensionWarning, match="of offered: the entry must have the name of its family, which is 'npu'"):
        assert all_families()["gemv"] is GEMV
    gemv = find_family("gemv")
    assert gemv is not None
    assert gemv.name == "gemv"
