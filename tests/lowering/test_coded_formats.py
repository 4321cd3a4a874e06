"""Which formats hold the integer codes of a file, tensor by tensor; codes of biases beside the products' scale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from archsim.errors import WorkloadError
from archsim.formats import Encoding, Scaled, parse_format
from archsim.lowering.coded_weights import bias_codes, check_coded, coded_encoding, gates_encoding
from archsim.workload import load_tensors, load_workload
from archsim.workload.coded import CodedTensor


def scaled(name: str) -> Scaled:
    found = parse_format(name)
    assert isinstance(found, Scaled)
    return found


def coded(codes: list[int], scales: list[float]) -> CodedTensor:
    """A matrix of one column."""
    return CodedTensor(np.array(codes, np.int64)[:, np.newaxis], np.array(scales)[:, np.newaxis])


def checked(workload: str, name: str, *of_cells: Mapping[str, CodedTensor]) -> str | None:
    """What is said of a format for these codes of each cell in turn; None if it holds all."""
    work = load_workload(workload)
    given = load_tensors(work)
    cells = tuple(replace(cell, coded=codes) for cell, codes in zip(given.cells, of_cells, strict=True))
    try:
        check_coded(work.spec, replace(given, cells=cells), parse_format(name))
    except WorkloadError as error:
        return str(error)
    return None


FOUR, ONE = "lstm:1,1,t=1", [0.5] * 4


@pytest.mark.parametrize(
    ("codes", "needed"),
    [
        ([7, -8, 0, 1], None),
        ([8, 0, 0, 0], 5),
        ([15, 0, 0, 0], 5),
        ([16, 0, 0, 0], 6),
        ([0, -9, 0, 0], 5),
        ([0, -16, 0, 0], 5),
        ([0, -17, 0, 0], 6),
        ([31, -33, 0, 0], 7),
        ([64, -33, 0, 0], 8),
    ],
)
def test_bits_that_codes_need(codes: list[int], needed: int | None) -> None:
    """4 bits hold -8 to 7, n bits -2^(n-1) to 2^(n-1) - 1."""
    found = checked(FOUR, "int4", {"weight_ih": coded(codes, ONE)})
    if needed is None:
        assert found is None
        return
    assert found is not None
    said = f"its codes less the zero point are from {min(codes)} to {max(codes)}, which int4 does not hold"
    assert said in found
    assert f"with --set formats.weight=int{needed} they run as they are" in found


def test_the_format_named_holds_every_tensor_and_the_first_that_does_not_fit_is_named() -> None:
    """Of two layers the first one's W_hh needs 5 bits, and the second one's W_ih 10 and a scale for each row."""
    rows = coded([300, 0, 0, 0], [0.1, 0.2, 0.3, 0.4])
    first = {"weight_ih": coded([7, 0, 0, 0], ONE), "weight_hh": coded([8, 0, 0, 0], ONE)}
    found = checked("lstm:1,1,t=1,layers=2", "int4", first, {"weight_ih": rows})
    assert found is not None
    assert "weight_hh_l0" in found
    assert "from 0 to 8" in found
    assert "formats.weight=int10/gate " in found  # a gate of one hidden unit is a row
    backward = checked("lstm:1,1,t=1,bidirectional=1", "int4", {}, {"weight_hh": coded([8, 0, 0, 0], ONE)})
    assert backward is not None
    assert "weight_hh_l0_reverse" in backward


@pytest.mark.parametrize(
    ("scales", "fits", "finest"),
    [
        ([0.5] * 8, ("tensor", "gate", "row"), "tensor"),
        ([0.1, 0.1, 0.2, 0.2, 0.3, 0.3, 0.4, 0.4], ("gate", "row"), "gate"),
        ([0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.2], ("row",), "row"),
    ],
)
def test_rows_that_share_a_scale(scales: list[float], fits: tuple[str, ...], finest: str) -> None:
    """H = 2: a gate has two rows. Codes that fit keep the width that was asked for."""
    for name in ("tensor", "gate", "row"):
        found = checked("lstm:1,2,t=1", f"int8/{name}", {"weight_hh": coded([1] * 8, scales)})
        if name in fits:
            assert found is None
        else:
            assert found is not None
            held = str(parse_format(f"int8/{finest}"))
            assert f"has a scale for each {finest}, and int8" in found
            assert f"formats.weight={held} " in found


def test_a_projection_is_one_gate() -> None:
    """Its 4 rows are no rows of 4 gates: different scales are one for each row."""
    matrix = coded([1] * 4, [0.1, 0.2, 0.3, 0.4])
    found = checked("lstm:1,5,t=1,proj=4", "int8/gate", {"weight_hr": matrix})
    assert found is not None
    assert "weight_hr_l0" in found
    assert "has a scale for each row, and int8/gate has one for each gate" in found
    assert checked("lstm:1,5,t=1,proj=3", "int8/gate", {"weight_hr": coded([1] * 3, [0.5] * 3)}) is None


def test_scales_that_must_be_powers_of_two() -> None:
    """The format that is named instead has any scales; floating point takes all codes, and biases are not looked at."""
    assert checked(FOUR, "int8/row/power_of_two", {"weight_ih": coded([1] * 4, [0.5, 0.25, 2.0, 1.0])}) is None
    found = checked(FOUR, "int8/row/power_of_two", {"weight_ih": coded([1] * 4, [0.5, 0.25, 0.75, 1.0])})
    assert found is not None
    assert "its scale is no power of two, which int8/row/power_of_two asks for" in found
    assert "formats.weight=int8/row " in found
    assert checked(FOUR, "float32", {"weight_ih": coded([1_000] * 4, ONE)}) is None
    assert checked(FOUR, "int8", {"bias_ih": coded([1_000] * 4, [0.5, 0.25, 0.75, 1.0])}) is None


def test_the_encoding_has_one_scale_or_all() -> None:
    assert coded_encoding(coded([1, 2], [0.3, 0.3]), scaled("int8")).scale == 0.3
    rows = coded_encoding(coded([1, 2], [0.3, 0.4]), scaled("int8/row")).scale
    assert np.array_equal(rows, [[0.3], [0.4]])


def test_peepholes_and_gamma_may_have_any_scales_but_must_fit() -> None:
    """Even in a format of one scale, of powers of two."""
    number_format = scaled("int8/power_of_two")
    found = gates_encoding("peephole_l0", coded([127, -128, 1], [0.3, 0.4, 0.5]), number_format)
    assert np.array_equal(found.scale, [[0.3], [0.4], [0.5]])
    for code in (128, -129):
        with pytest.raises(WorkloadError, match="peephole_l0: its codes less the zero point are from"):
            gates_encoding("peephole_l0", coded([code, 0, 1], [0.3, 0.4, 0.5]), number_format)


def vector(codes: list[int], scales: list[float]) -> CodedTensor:
    return CodedTensor(np.array(codes, np.int64), np.array(scales)[:, np.newaxis])


def test_codes_of_biases_are_added_up() -> None:
    work = load_workload("lstm:1,1,t=1")
    cell = load_tensors(work).cells[0]
    scales = [0.1, 0.2, 0.3, 0.4]
    encoding = Encoding(parse_format("int32"), np.array(scales)[:, np.newaxis])
    both = {"bias_ih": vector([1, 2, 3, 4], scales), "bias_hh": vector([10, 20, 30, 40], scales)}
    found = bias_codes(replace(cell, coded=both), work.spec.cells[0], encoding)
    assert found is not None
    assert found.tolist() == [11, 22, 33, 44]
    zero = replace(cell, bias_hh=np.zeros(4, np.float32), coded={"bias_ih": both["bias_ih"]})
    found = bias_codes(zero, work.spec.cells[0], encoding)
    assert found is not None
    assert found.tolist() == [1, 2, 3, 4]
    assert bias_codes(replace(cell, coded={}), work.spec.cells[0], encoding) is None
    assert bias_codes(replace(cell, coded=both), work.spec.cells[0], Encoding(parse_format("float32"))) is None
    real = replace(cell, bias_hh=np.array([0, 0, 0, 1], np.float32), coded={"bias_ih": both["bias_ih"]})
    with pytest.raises(WorkloadError, match="bias_hh: holds real numbers beside the other bias's integer codes"):
        bias_codes(real, work.spec.cells[0], encoding)


def test_a_gru_keeps_the_candidates_two_biases_apart() -> None:
    """H = 2: r and z of both, then x and h of the candidate, whose products have scales of their own."""
    work = load_workload("gru:1,2,t=1")
    cell = load_tensors(work).cells[0]
    scales = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]
    encoding = Encoding(parse_format("int32"), np.array(scales)[:, np.newaxis])
    given = {
        "bias_ih": vector([1, 2, 3, 4, 5, 6], scales[:6]),
        "bias_hh": vector([10, 20, 30, 40, 50, 60], [*scales[:4], *scales[6:]]),
    }
    found = bias_codes(replace(cell, coded=given), work.spec.cells[0], encoding)
    assert found is not None
    assert found.tolist() == [11, 22, 33, 44, 5, 6, 50, 60]
    given["bias_hh"] = vector([10, 20, 30, 40, 50, 60], scales[:6])
    with pytest.raises(WorkloadError, match="bias_hh: .* the scale 5 in row 4, where the products .* have 7:"):
        bias_codes(replace(cell, coded=given), work.spec.cells[0], encoding)


def test_how_alike_scales_of_biases_and_products_must_be() -> None:
    """Within a millionth; the row that is farthest off is named, above or below."""
    work = load_workload("lstm:1,1,t=1")
    cell = load_tensors(work).cells[0]
    zero = np.zeros(4, np.float32)
    encoding = Encoding(parse_format("int32"), 0.5)
    for off, fits in ((9e-7, True), (-9e-7, True), (1.1e-6, False), (-1.1e-6, False)):
        given = {"bias_ih": vector([1, 2, 3, 4], [0.5, 0.5, 0.5 * (1 + off), 0.5])}
        numbers = replace(cell, bias_hh=zero, coded=given)
        if fits:
            assert bias_codes(numbers, work.spec.cells[0], encoding) is not None
        else:
            with pytest.raises(WorkloadError, match="in row 2, where"):
                bias_codes(numbers, work.spec.cells[0], encoding)
    given = {"bias_ih": vector([1, 2, 3, 4], [0.5, 0.4, 0.5, 0.55])}
    with pytest.raises(WorkloadError, match="the scale 0.4 in row 1, where the products of weight and input have 0.5:"):
        bias_codes(replace(cell, bias_hh=zero, coded=given), work.spec.cells[0], encoding)
