"""Opens the weights of torch.ao.quantization.quantize_dynamic, which a state_dict holds packed into objects.

Such an object is a torch.ScriptObject, whose state is plain: tensors of integers with their scales, biases, and the
name of a class. Loading takes `PackedObject` for it, which keeps the state and does nothing else, so no code of the
file and none of that class runs. Source: torch/ao/nn/quantized/dynamic/modules/rnn.py, and __getstate__ of
CellParamsBase and LinearPackedParamsBase in ATen/native (RNN.cpp, quantized/cpu/fbgemm_utils.cpp).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np

from archsim.config.text import shorten
from archsim.importers.codes import Codes
from archsim.importers.found import Refused

Torch = Any
"""The package torch, which is optional, or one of its tensors."""

_LAYER = re.compile(r"(?P<prefix>(?:.*\.)?)_all_weight_values\.(?P<number>[0-9]{1,3})\.param", re.DOTALL)
_CELL = re.compile(r"(?P<prefix>(?:.*\.)?)_packed_weight_(?P<side>ih|hh)", re.DOTALL)
NOTE = (
    "quantize_dynamic packed its weights; torch quantizes x and h to 8 bits at run time, with a scale from the values "
    "of each call; here they have the machine's format with one scale, or are real numbers, so that its outputs are "
    "not reproduced in every bit"
)


class PackedObject:
    """Stands in for torch.ScriptObject: keeps the state, whatever it is."""

    def __init__(self) -> None:
        self.state: object = None

    def __setstate__(self, state: object) -> None:
        self.state = state


def standing_in(torch: Torch) -> Any:  # noqa: ANN401 - a context of torch's
    """A context in which loading takes PackedObject for torch.ScriptObject; before torch 2.6 there is none."""
    if tuple(int(part) for part in re.findall("[0-9]+", torch.__version__)[:2]) < (2, 6):
        return nullcontext()
    return torch.serialization.safe_globals([(PackedObject, "torch.ScriptObject")])


@dataclass(frozen=True, slots=True)
class _Cell:
    """The packed tensors of one cell: matrices, and biases that may be None."""

    weight_ih: Torch
    weight_hh: Torch
    bias_ih: Torch
    bias_hh: Torch

    @property
    def named(self) -> dict[str, Torch]:
        tensors = {"weight_ih": self.weight_ih, "weight_hh": self.weight_hh}
        return tensors | {
            name: bias for name, bias in (("bias_ih", self.bias_ih), ("bias_hh", self.bias_hh)) if bias is not None
        }


def unpacked(leaves: Mapping[str, object], torch: Torch) -> dict[str, Torch]:
    """The packed tensors under torch's own names; Refused if a packed object is not as torch packs them."""
    layers: dict[str, dict[int, _Cell]] = {}
    found: dict[str, Torch] = {}
    for name, value in leaves.items():
        if not isinstance(value, PackedObject):
            continue
        if match := _LAYER.fullmatch(name):
            layers.setdefault(match["prefix"], {})[int(match["number"])] = _cell(name, value, torch)
        elif match := _CELL.fullmatch(name):
            weight, bias = _linear(name, value, torch)
            found[f"{match['prefix']}weight_{match['side']}"] = weight
            if bias is not None:
                found[f"{match['prefix']}bias_{match['side']}"] = bias
    for prefix, cells in layers.items():
        for suffix, cell in zip(_suffixes(prefix, cells), (cells[number] for number in sorted(cells)), strict=True):
            found |= {f"{prefix}{what}{suffix}": tensor for what, tensor in cell.named.items()}
    return found


def _suffixes(prefix: str, cells: Mapping[int, _Cell]) -> Iterator[str]:
    """The ends of torch's names, in the order of the cells: layer by layer, both directions of each.

    Whether there are two the sizes of their inputs tell: a second layer takes what all directions of the first give.
    """
    if sorted(cells) != list(range(len(cells))):
        raise Refused(f"{shorten(prefix)}_all_weight_values: a number is missing")
    shapes = [(tuple(cells[number].weight_ih.shape), tuple(cells[number].weight_hh.shape)) for number in sorted(cells)]
    inputs, hidden = [ih[1] for ih, _ in shapes], shapes[0][1][1]
    one = inputs[1:] == [hidden] * (len(inputs) - 1)
    two = len(inputs) % 2 == 0 and inputs == [inputs[0]] * 2 + [2 * hidden] * (len(inputs) - 2)
    if one and two:
        raise Refused(
            f"{shorten(prefix)}_all_weight_values: may be two layers or two directions, which these files do not say "
            "where there are as many inputs as hidden units; save the state_dict of the model before quantize_dynamic"
        )
    if not one and not two:
        raise Refused(f"{shorten(prefix)}_all_weight_values: have inputs of {inputs}, which no stack has")
    for number in range(len(inputs)):
        yield f"_l{number}" if one else f"_l{number // 2}{'_reverse' * (number % 2)}"


def _cell(name: str, packed: PackedObject, torch: Torch) -> _Cell:
    """The tensors of a CellParamsBase: (kind, biases, numbers, numbers, both matrices packed)."""
    match packed.state:
        case ((str(), [*biases], _, _, [PackedObject() as first, PackedObject() as second]), str()):
            ih, hh = _linear(name, first, torch), _linear(name, second, torch)
        case _:
            raise Refused(f"{shorten(name)} is packed in a way that is not known")
    given = biases if len(biases) == 2 else [ih[1], hh[1]]
    if not all(bias is None or _is_plain(bias, torch, 1) for bias in given):
        raise Refused(f"{shorten(name)} has biases that are no tensors")
    return _Cell(ih[0], hh[0], given[0], given[1])


def _linear(name: str, packed: PackedObject, torch: Torch) -> tuple[Torch, Torch]:
    """The matrix and the bias of a LinearPackedParamsBase: ((matrix, bias), class)."""
    match packed.state:
        case ((weight, bias), str()) if _is_plain(weight, torch, 2) and (bias is None or _is_plain(bias, torch, 1)):
            return weight, bias
        case _:
            raise Refused(f"{shorten(name)} is packed in a way that is not known")


def _is_plain(value: object, torch: Torch, dimensions: int) -> bool:
    return isinstance(value, torch.Tensor) and not value.is_nested and value.ndim == dimensions and 0 not in value.shape


def codes_of(name: str, tensor: Torch, torch: Torch, size: int) -> Codes:
    """The codes of a quantized tensor, and what they stand for; `size` is the file's, which no tensor exceeds."""
    if tensor.dtype not in (torch.qint8, torch.quint8) or tensor.device.type != "cpu":
        raise Refused(f"{shorten(name)} is {str(tensor.dtype).removeprefix('torch.')}, expected qint8 or quint8")
    if math.prod(tensor.shape) > size:
        raise Refused(f"{shorten(name)} claims more numbers than the file has")
    if tensor.qscheme() is torch.per_tensor_affine:
        scale, zero = np.array(float(tensor.q_scale())), np.array(int(tensor.q_zero_point()))
    elif tensor.qscheme() in (torch.per_channel_affine,) and tensor.q_per_channel_axis() == 0:
        scale = np.array(tensor.q_per_channel_scales().numpy(), np.float64)
        zero = np.array(tensor.q_per_channel_zero_points().numpy(), np.int64)
    else:
        raise Refused(f"{shorten(name)} has scales along another axis than its rows")
    if not (np.isfinite(scale).all() and (scale > 0).all()) or scale.shape not in ((), tuple(tensor.shape[:1])):
        raise Refused(f"{shorten(name)} has scales that are not above 0, or not one for each row")
    return Codes(np.array(tensor.int_repr().numpy()), scale, zero)
