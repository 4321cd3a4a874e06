"""Puts weights that a file holds as integer codes into the machine's formats as they are: nothing is rounded again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from archsim.errors import Fault, WorkloadError
from archsim.formats import Encoding, Granularity, NumberFormat, Scaled
from archsim.workload.coded import CodedTensor
from archsim.workload.network import CellKind, CellSpec, NetworkSpec, suffixes
from archsim.workload.tensors import CellTensors, NetworkTensors

SAME_SCALE = 1e-6
"""Largest relative difference of two scales that mean the same: float32 has 6e-8, and a product of two 1.2e-7."""

Codes = npt.NDArray[np.int64]


def check_coded(spec: NetworkSpec, tensors: NetworkTensors, number_format: NumberFormat) -> None:
    """Raise WorkloadError if a format of weights with a scale cannot hold the file's codes as they are.

    The message has the format that can.
    """
    if not isinstance(number_format, Scaled):
        return
    found = [
        (name + suffix, coded, 1 if name == "weight_hr" else cell.kind.gates)
        for cell, numbers, suffix in zip(spec.cells, tensors.cells, suffixes(spec), strict=True)
        for name, coded in numbers.coded.items()
        if name.startswith("weight")
    ]
    problems = [text for name, coded, gates in found if (text := _problem(name, coded, number_format, gates))]
    if problems:
        name, why = problems[0]
        wide = max(_bits(coded) for _, coded, _ in found)
        finest = max((_granularity(coded, gates) for _, coded, gates in found), key=list(Granularity).index)
        held = replace(
            number_format,
            width=max(number_format.width, wide),
            granularity=max(number_format.granularity, finest, key=list(Granularity).index),
            power_of_two=False,
        )
        raise _fault(name, f"{why}; with --set formats.weight={held} they run as they are")


def _problem(name: str, coded: CodedTensor, number_format: Scaled, gates: int) -> tuple[str, str] | None:
    """The tensor and why a format does not hold its codes; None if it does."""
    low, high = int(coded.codes.min()), int(coded.codes.max())
    if low < number_format.lowest or high > number_format.highest:
        return name, f"its codes less the zero point are from {low:,} to {high:,}, which {number_format} does not hold"
    finest = _granularity(coded, gates)
    if list(Granularity).index(finest) > list(Granularity).index(number_format.granularity):
        return name, f"has a scale for each {finest}, and {number_format} has one for each {number_format.granularity}"
    if number_format.power_of_two and not np.all(np.frexp(coded.scales)[0] == 0.5):
        return name, f"its scale is no power of two, which {number_format} asks for"
    return None


def _bits(coded: CodedTensor) -> int:
    """The bits that hold a tensor's codes."""
    return max((-int(coded.codes.min()) - 1).bit_length(), int(coded.codes.max()).bit_length()) + 1


def _granularity(coded: CodedTensor, gates: int) -> Granularity:
    """How many rows share a scale."""
    parts = coded.scales.reshape(gates, -1)
    if coded.one_scale:
        return Granularity.TENSOR
    return Granularity.GATE if np.all(parts == parts[:, :1]) else Granularity.ROW


def coded_encoding(coded: CodedTensor, number_format: Scaled) -> Encoding:
    """The encoding of a tensor's codes in a format that holds them as they are."""
    return Encoding(number_format, float(coded.scales[0, 0]) if coded.one_scale else coded.scales)


def gates_encoding(name: str, coded: CodedTensor, number_format: Scaled) -> Encoding:
    """The encoding of the codes of peephole weights or gamma, in any scales.

    WorkloadError if the format does not hold the codes.
    """
    plain = replace(number_format, power_of_two=False)
    problem = _problem(name, coded, replace(plain, granularity=Granularity.ROW), 1)
    if problem is not None:
        raise _fault(*problem)
    return coded_encoding(coded, plain)


def bias_codes(numbers: CellTensors, cell: CellSpec, encoding: Encoding) -> Codes | None:
    """The codes of b_ih + b_hh in the accumulator's format, as the file has them; None if it has real numbers.

    As the joined bias, of a GRU that resets after the product with b_hn behind the others. WorkloadError if their scale
    is not that of the products, which is the accumulator's.
    """
    names = ("bias_ih", "bias_hh")
    given = {name: numbers.coded[name] for name in names if name in numbers.coded}
    if not given or not isinstance(encoding.format, Scaled):
        return None
    for name in names:
        values = getattr(numbers, name)
        if name not in given and values is not None and np.any(values):
            raise _fault(name, "holds real numbers beside the other bias's integer codes; both need to be the same")
    rows = cell.rows
    scale = np.broadcast_to(np.asarray(encoding.scale, np.float64).reshape(-1), (_entries(cell),))
    apart = cell.kind is CellKind.GRU and cell.linear_before_reset
    own = {"bias_ih": scale[:rows], "bias_hh": scale[:rows]}
    if apart:
        own["bias_hh"] = np.concatenate([scale[: 2 * cell.hidden_size], scale[rows:]])
    found = {"bias_ih": np.zeros(rows, np.int64), "bias_hh": np.zeros(rows, np.int64)}
    for name, tensor in given.items():
        off = np.abs(tensor.scales[:, 0] / own[name] - 1)
        if off.max() > SAME_SCALE:
            worst = int(off.argmax())
            raise _fault(
                name,
                f"its codes have the scale {tensor.scales[worst, 0]:.6g} in row {worst:,}, where the products "
                f"of weight and input have {own[name][worst]:.6g}: an integer bias needs theirs (a file of calibration "
                "can give the input's scale); else let it be real numbers",
            )
        found[name] = tensor.codes
    both = found["bias_ih"] + found["bias_hh"]
    if apart:
        first = slice(2 * cell.hidden_size)
        last = slice(2 * cell.hidden_size, None)
        both = np.concatenate([both[first], found["bias_ih"][last], found["bias_hh"][last]])
    return both


def _entries(cell: CellSpec) -> int:
    """How many numbers the joined bias has."""
    apart = cell.kind is CellKind.GRU and cell.linear_before_reset
    return cell.rows + (cell.hidden_size if apart else 0)


def _fault(name: str, message: str) -> WorkloadError:
    return WorkloadError((Fault("weights", name, message),))
