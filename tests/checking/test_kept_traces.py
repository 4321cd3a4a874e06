"""How much of the golden model's run may be kept, to the byte; and remedies of sums that are cut off, by hand."""

from __future__ import annotations

import pytest

from archsim.api import simulate
from archsim.checking import calibrate, numbers
from archsim.checking.saturated_sums import _remedy as remedy
from archsim.config import parse_override
from archsim.errors import WorkloadError
from archsim.families.load import load_arch
from archsim.formats import IntegerFormat, parse_format
from archsim.workload import load_workload


@pytest.mark.parametrize("short", [0, 1])
def test_a_trace_of_a_run_may_have_as_many_bytes(short: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """5 steps of 3 sequences through 2 layers of 2 units: 5 x 3 x 4 x 16 numbers of 8 bytes are 7,680."""
    sets = ("formats=q4.12", "activation.method=exact", "accumulators.entries=64")
    arch = load_arch("tiny_2x2", [parse_override(text) for text in sets])
    monkeypatch.setattr(numbers, "MAX_TRACE_BYTES", 7680 - short)
    work = load_workload("lstm:3,2,t=5,b=3,layers=2")
    if not short:
        assert simulate(arch, work).accuracy is not None
        return
    with pytest.raises(WorkloadError, match=r"5 steps x 3 sequences x 4 hidden units of it take 0\.0 GiB"):
        simulate(arch, work)


@pytest.mark.parametrize("short", [0, 1])
def test_a_trace_for_calibration_may_have_as_many_bytes(short: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of its own input, 6 steps of a sequence: x too, so that 8 x 6 x (3 + 16 x 2) are 1,680 bytes."""
    work = load_workload("lstm_3_2_t4", [parse_override("calibration={input: {seed: 0, steps: 6}}")])
    arch = load_arch("edge_16x16")
    monkeypatch.setattr(calibrate, "MAX_TRACE_BYTES", 1680 - short)
    if not short:
        assert simulate(arch, work).validation.passed
        return
    with pytest.raises(WorkloadError, match=r"calibration would keep 0\.0 GiB .* in 6 steps of 1 sequences"):
        simulate(arch, work)


@pytest.mark.parametrize(
    ("kind", "name", "reached", "wanted"),
    [
        # q4.12 holds -8 up to, without, 8: 8 needs a bit more, -8 does not, so that it was a partial sum.
        ("gate", "q4.12", 8.0, "formats.gate=q5.12"),
        ("gate", "q4.12", 7.99, "formats.gate=q5.12"),
        ("gate", "q4.12", -8.0, "formats.gate=q5.12"),
        ("gate", "q4.12", -8.01, "formats.gate=q5.12"),
        ("gate", "q4.12", 16.0, "formats.gate=q6.12"),
        ("gate", "q4.12", -16.0, "formats.gate=q5.12"),
        ("gate", "q4.12", 40.0, "formats.gate=q7.12"),
        ("gate", "q4.12/truncate", 40.0, "formats.gate=q7.12/truncate"),
        # 32 bits at most, of an accumulator 48: what is in front of the point is taken from behind it, down to none.
        ("gate", "q4.28", 40.0, "formats.gate=q7.25"),
        ("accumulator", "q4.28", 40.0, "formats.accumulator=q7.28"),
        ("gate", "q2.1", 2.0**31, ""),
        ("gate", "q2.1", 2.0**30, "formats.gate=q32.0"),
        ("gate", "int8", 40.0, "formats.gate=int16"),
        ("gate", "int16", 40.0, "formats.gate=int32"),
        ("gate", "int17", 40.0, ""),
    ],
)
def test_a_format_that_holds_a_sum(kind: str, name: str, reached: float, wanted: str) -> None:
    found = parse_format(name)
    assert isinstance(found, IntegerFormat)
    assert remedy(kind, found, reached) == wanted
