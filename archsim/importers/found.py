"""Describes what an importer finds in a model file: recurrent layers in archsim's terms, and what it cannot read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import ValidationError

from archsim.config.text import shorten, without_jargon
from archsim.importers.codes import Codes
from archsim.workload.calibration import Range
from archsim.workload.config import LayerConfig
from archsim.workload.network import MergeMode

Float32Array = npt.NDArray[np.float32]
Shape = tuple[int, ...]


class Refused(Exception):
    """The error of a part of the file that cannot be imported; `str()` says why.

    It becomes an `Unsupported` in the listing.
    """


@dataclass(frozen=True, slots=True)
class FoundLayer:
    """A recurrent layer; a torch module's `num_layers` layers of one size are one FoundLayer.

    `tensors` has torch's names (weight_ih_l0, ..., and peephole_l0, layer_norm_l0), layers and gates in torch's order.
    `h_0` (cells, B, P) and `c_0` (cells, B, H) are given if the file fixes them; None is zero. `any_batch`: they are
    those of one sequence (B = 1), with which all of any batch begin, as learned states. `fed_by` names the found layers
    whose outputs, side by side, are this layer's whole input; `input_from` says in words what the input is.
    `codes`: of a quantized model, the integers and scales that the tensors of these names stand for; `ranges`: its
    scales of x, h_l0, c_l0, ..., under the names of a file of calibration.
    """

    name: str
    config: LayerConfig
    input_size: int
    tensors: Mapping[str, Float32Array]
    num_layers: int = 1
    batch_first: bool = False
    turns_input: bool = False
    sequence_lens: tuple[int, ...] | None = None
    h_0: Float32Array | None = None
    c_0: Float32Array | None = None
    any_batch: bool = False
    fed_by: tuple[str, ...] = ()
    input_from: str = ""
    notes: tuple[str, ...] = ()
    codes: Mapping[str, Codes] = field(default_factory=dict)
    ranges: Mapping[str, Range] = field(default_factory=dict)

    @property
    def weights(self) -> int:
        """How many numbers the layer has learned."""
        return sum(tensor.size for tensor in self.tensors.values())

    @property
    def cells(self) -> int:
        """How many cells the layer has: layers times directions."""
        return self.num_layers * (2 if self.config.bidirectional else 1)

    def __str__(self) -> str:
        """The layer in words, as "LSTM(64, 128), 2 layers, bidirectional"."""
        size = f"{self.config.kind.value.upper()}({self.input_size}, {self.config.hidden_size})"
        return ", ".join([size, *self._shape_words()])

    def _shape_words(self) -> Iterator[str]:
        if self.num_layers > 1:
            yield f"{self.num_layers} layers"
        if self.config.bidirectional:
            yield "bidirectional"
        if self.config.reverse:
            yield "reverse"

    def options(self) -> tuple[str, ...]:
        """The options in effect that differ from PyTorch's defaults, in words."""
        return tuple(self._option_words())

    def _option_words(self) -> Iterator[str]:
        config = self.config
        if config.proj_size:
            yield f"projection to {config.proj_size}"
        if not config.bias:
            yield "no bias"
        if config.activations is not None:
            cells = config.cells(self.input_size)
            yield "activations " + ", ".join(str(f) for cell in cells for f in cell.functions)
        elif config.nonlinearity != "tanh":
            yield config.nonlinearity
        if config.merge_mode is not MergeMode.CONCAT:
            yield f"directions{config.merge_mode.words.replace(',', '')}"
        if config.clip is not None:
            yield f"clip {config.clip:g}"
        for name in ("input_forget", "peepholes", "layer_norm"):
            if getattr(config, name):
                yield name
        if not config.linear_before_reset:
            yield "reset before the recurrent product"
        if self.batch_first:
            yield "batch first"
        if self.sequence_lens is not None:
            yield "sequence_lens " + shorten(", ".join(map(str, self.sequence_lens)))
        if self.h_0 is not None or self.c_0 is not None:
            yield "initial state in the file" + (", the same for all sequences" if self.any_batch else "")


@dataclass(frozen=True, slots=True)
class Unsupported:
    """Something recurrent that cannot be imported, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Found:
    """All that a file holds. `pairs` are layers, one forward and one reverse, that act as one bidirectional layer.

    `rest` says what else is in the file, as "14 tensors"; `host` of a whole network what no machine here computes.
    """

    path: Path
    layers: tuple[FoundLayer, ...]
    unsupported: tuple[Unsupported, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()
    rest: str = ""
    host: tuple[str, ...] = ()


def layer_config(**fields: object) -> LayerConfig:
    """The LayerConfig for values from a file; Refused if they are not possible."""
    try:
        return LayerConfig.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        message = without_jargon(first["msg"])
        raise Refused(f"{where}: {message}" if where else message) from error


def float32(name: str, values: npt.NDArray[Any]) -> Float32Array:
    """The weights as float32, in memory of their own; Refused if any is not finite.

    The file itself may be mapped into memory.
    """
    with np.errstate(all="ignore"):  # a float64 beyond float32 becomes infinite, and is reported as such
        converted = np.array(values, dtype=np.float32, order="C")
    bad = converted.size - int(np.count_nonzero(np.isfinite(converted)))
    if bad:
        raise Refused(f"{name}: {bad:,} of {converted.size:,} numbers are not finite in float32")
    return converted


def unique_names(names: list[str]) -> list[str]:
    """The names made unique, each on one line of bounded length: a second lstm becomes lstm#2."""
    unique: dict[str, None] = {}
    for name in names:
        plain = shorten(name, 300) or "unnamed"
        numbered = (f"{plain}#{number}" for number in range(2, len(names) + 2))
        free = plain
        while free in unique:
            free = next(numbered)
        unique[free] = None
    return list(unique)
