"""Runs the independent integer reference on a run's numbers, where all arithmetic of the machine is on integers."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from archsim.checking.golden_run import Golden, golden_in_turn, golden_of_lengths
from archsim.checking.integer_delta import integer_delta_golden
from archsim.checking.integer_grids import cell_grids
from archsim.checking.integer_methods import grid_of, integer_method
from archsim.checking.numbers import Numbers
from archsim.checking.reference import directions
from archsim.checking.streams import per_length, per_stream
from archsim.families.cells.streams import cell_prefixes
from archsim.families.machine_config import MachineConfig
from archsim.families.schedule import Schedule
from archsim.formats import Encoding, Scaled
from archsim.golden.integer_layers import run_integer
from archsim.golden.integer_merge import merge_integer
from archsim.golden.integer_units import IntegerMachine
from archsim.golden.stack import Direction
from archsim.workload import CellTensors
from archsim.workload.network import DeltaThresholds, MergeMode


def integer_golden(numbers: Numbers, arch: MachineConfig, schedule: Schedule[Any]) -> Golden:
    """What the machine must compute, bit for bit: as real numbers, which are exact in float64."""
    spec = numbers.spec
    sends = schedule.sends_deltas(spec)
    if sends and not arch.skips_chunks:
        return integer_delta_golden(numbers, arch)
    thresholds = spec.delta or DeltaThresholds()
    if spec.streams > 1:
        parts = (replace(numbers, tensors=part, spec=one) for part, one in per_stream(numbers.tensors, spec))
        return golden_in_turn([integer_golden(part, arch, schedule) for part in parts])
    if sends and spec.lengths is not None:  # each sequence as if it were alone: what has ended sends nothing
        parts = (replace(numbers, tensors=part, spec=one) for part, one in per_length(numbers.tensors, spec))
        return golden_of_lengths([integer_golden(part, arch, schedule) for part in parts], spec)
    lengths = None if spec.lengths is None else np.array(spec.lengths)
    below: npt.NDArray[Any] = np.asarray(numbers.tensors.x, np.float64)
    h_n, c_n = [], []
    overflows: Counter[str] = Counter()
    prefixes = iter(cell_prefixes(spec))
    method = integer_method(arch, spec)
    made = _with_codes(numbers, directions(numbers.tensors, spec))
    split = schedule.splits_sums or arch.formats.input != arch.formats.hidden
    split_rows = iter(schedule.split_rows(spec, arch) or [frozenset()] * len(spec.cells))
    for number in range(len(spec.layers)):
        source = "dram.x" if number == 0 else f"l{number - 1}.dram.output"
        outputs = []
        for direction in made[number]:
            machine = IntegerMachine(
                arch.inputs_per_chunk,
                split,
                method,
                schedule.interleaves_gates,
                arch.x_inputs_per_chunk,
                arch.late_bias,
                next(split_rows),
                arch.weight_sparsity.of,
                (thresholds.x, thresholds.h) if sends else None,
            )
            result = run_integer(below, direction, cell_grids(numbers, next(prefixes), source), machine, lengths)
            outputs.append(result.output)
            overflows.update(result.overflows)
            h_n.append(result.h_n)
            c_n += [] if result.c_n is None else [result.c_n]
        below = _merged(numbers, number, outputs)
        if number + 1 < len(spec.layers):
            below = _codes(below, numbers.encodings[f"l{number}.dram.output"])
    return Golden(below, tuple(h_n), tuple(c_n), None, overflows)


def _merged(numbers: Numbers, number: int, outputs: list[npt.NDArray[np.float64]]) -> npt.NDArray[np.float64]:
    """The output of a layer from those of its directions."""
    spec, mode = numbers.spec, numbers.spec.merge_mode(number)
    if mode is MergeMode.CONCAT:
        return np.concatenate(outputs, axis=2)
    last = number == len(spec.layers) - 1
    target = numbers.encodings["dram.output" if last else f"l{number}.dram.output"]
    return merge_integer(outputs, mode, grid_of(numbers.encodings[f"l{number}.h"]), grid_of(target))


def _with_codes(numbers: Numbers, made: list[list[Direction]]) -> list[list[Direction]]:
    """The layers with the file's integer codes in place of real numbers, where the formats take them as they are."""
    cells = iter(numbers.tensors.cells)
    return [[_coded(numbers, direction, next(cells)) for direction in layer] for layer in made]


def _coded(numbers: Numbers, direction: Direction, tensors: CellTensors) -> Direction:
    formats = numbers.formats
    weights: Any = direction.weights
    codes: dict[str, npt.NDArray[Any] | None] = {}
    if isinstance(formats.format("weight"), Scaled):
        codes |= {name: tensors.coded[name].codes for name in tensors.coded if name.startswith("weight")}
    if isinstance(formats.format("cell"), Scaled):
        codes |= {name: tensors.coded[name].codes for name in ("peephole", "layer_norm") if name in tensors.coded}
    biases = [name for name in ("bias_ih", "bias_hh") if name in tensors.coded]
    if biases and isinstance(formats.format("accumulator"), Scaled):
        codes |= {name: tensors.coded[name].codes if name in biases else None for name in ("bias_ih", "bias_hh")}
    return replace(direction, weights=replace(weights, **codes)) if codes else direction


def _codes(values: npt.NDArray[np.float64], encoding: Encoding) -> npt.NDArray[np.int64]:
    """The codes that exact values stand for: what one layer hands to the next."""
    return np.rint(values / encoding.scale).astype(np.int64) + encoding.zero
