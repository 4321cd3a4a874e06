"""Makes the arrays of outputs.npz: results in torch's shapes, and of integer formats their codes beside them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from archsim.api import Simulation
from archsim.families.cells.streams import cell_prefixes
from archsim.formats import Encoding
from archsim.report.files.saved import torch_outputs
from archsim.workload.layout import Layout
from archsim.workload.network import suffixes

Array = npt.NDArray[Any]


def output_arrays(simulation: Simulation, steps: bool) -> dict[str, Array]:
    """All arrays by name; `steps`: also c and the activated gates of every step, as c_l0, gate_i_l0, ...

    Each of an integer format has its codes, scale and zero point beside it: output_codes, output_scale, output_zero.
    The scale and zero point of states of several cells have a number for each.
    """
    workload, results, numbers = simulation.workload, simulation.results, simulation.numbers
    assert results is not None
    assert numbers is not None
    found: dict[str, Array] = dict(torch_outputs(workload, results, exact=True))
    encodings = dict(_encodings(simulation, list(found)))
    if steps:
        layout = Layout(workload.config.batch_first, workload.config.batched)
        for name, values, encoding in _inside(simulation):
            found[name] = np.ascontiguousarray(layout.sequence_out(values))
            encodings[name] = (encoding,)
    for name, held in encodings.items():
        if all(encoding.is_integer for encoding in held):
            found |= _coded(name, found[name], held)
    return {name: array if name not in encodings else array.astype(np.float32) for name, array in found.items()}


def _encodings(simulation: Simulation, names: list[str]) -> Iterator[tuple[str, tuple[Encoding, ...]]]:
    """The encodings of the results: one, or one for each cell of stacked states."""
    assert simulation.numbers is not None
    spec, encodings = simulation.numbers.spec, simulation.numbers.encodings
    prefixes = cell_prefixes(spec)
    for name in names:
        if name == "output":
            yield name, (encodings["dram.output"],)
            continue
        kind, own = name[0], name[3:]
        cells = [place for place, suffix in enumerate(suffixes(spec)) if own in ("", suffix)]
        yield name, tuple(encodings[prefixes[cell] + kind] for cell in cells)


def _inside(simulation: Simulation) -> Iterator[tuple[str, Array, Encoding]]:
    """What was recorded of each cell: the name, values (T, B, H), and what its codes stand for."""
    assert simulation.numbers is not None
    spec, encodings = simulation.numbers.spec, simulation.numbers.encodings
    recorded = simulation.recorded or ()
    for values, prefix, suffix in zip(recorded, cell_prefixes(spec), suffixes(spec), strict=True):
        for quantity in sorted(values):
            gate = quantity != "c"
            name = f"gate_{quantity}{suffix}" if gate else f"c{suffix}"
            yield name, values[quantity], encodings[prefix + ("gates" if gate else "c")]


def _coded(name: str, values: Array, held: tuple[Encoding, ...]) -> dict[str, Array]:
    """The codes of a tensor, and their scale and zero point: numbers, or one for each part along the first axis."""
    stacked = len(held) > 1
    shape = (-1, *(1,) * (values.ndim - 1)) if stacked else ()
    scale = np.array([float(encoding.scale) for encoding in held]).reshape(shape or (1,) * values.ndim)
    zero = np.array([encoding.zero for encoding in held]).reshape(scale.shape)
    codes = np.rint(values.astype(np.float64) / scale).astype(np.int64) + zero
    numbers = scale.ravel() if stacked else scale.ravel()[0]
    zeros = zero.ravel() if stacked else zero.ravel()[0]
    return {
        f"{name}_codes": codes.astype(held[0].stored_type),
        f"{name}_scale": np.asarray(numbers, np.float64),
        f"{name}_zero": np.asarray(zeros, np.int64),
    }
