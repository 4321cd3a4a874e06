"""Loads what another implementation gave for a workload: results, states, and what passes inside at every step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from archsim.errors import Fault, WorkloadError
from archsim.workload.config import ExpectedSource
from archsim.workload.files import holds_integers, read_float64, read_integers, tensor_names, tensor_shape
from archsim.workload.layout import Layout
from archsim.workload.network import CellKind, NetworkSpec, same_sizes, suffixes
from archsim.workload.spec import Workload

Shape = tuple[int, ...]

GATES = {CellKind.LSTM: ("i", "f", "g", "o"), CellKind.GRU: ("r", "z", "n"), CellKind.RNN: (), CellKind.LINEAR: ()}
"""The activated gates of a cell that may be given by step; an RNN's is its output."""
_CODES, _SCALE, _ZERO = "_codes", "_scale", "_zero"


@dataclass(frozen=True, slots=True)
class Place:
    """What a tensor of the file is: `quantity` output, h_n, c_n, c or a gate's name, of the cells of these numbers."""

    quantity: str
    cells: tuple[int, ...]

    @property
    def by_step(self) -> bool:
        """Whether the tensor is of something inside a cell, with a value for every time step."""
        return self.quantity not in ("output", "h_n", "c_n")


@dataclass(frozen=True, slots=True)
class ExpectedTensor:
    """A tensor of the file in archsim's layout.

    `parts`: an array for each cell of the place, (B, n) of a state, else one (T, B, n): float64 values or, if `codes`,
    int64 codes of the machine's format. `scales` and `zeros`: those of the parts, if the file says them.
    """

    name: str
    place: Place
    parts: tuple[npt.NDArray[Any], ...]
    codes: bool
    scales: tuple[float, ...] | None = None
    zeros: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Expected:
    """The results of another implementation, and how near to them a run must be.

    `tolerance`, relative to a tensor's largest magnitude, and `within_codes` are None if the workload does not say
    them. `left_out`: what the file holds and no run of this workload can be compared with, a reason each.
    """

    tensors: tuple[ExpectedTensor, ...]
    tolerance: float | None = None
    within_codes: int | None = None
    left_out: tuple[str, ...] = ()

    @property
    def by_step(self) -> bool:
        """Whether something inside a cell is given at every step, which a run must record for it."""
        return any(tensor.place.by_step for tensor in self.tensors)

    def named(self, name: str) -> ExpectedTensor | None:
        """The tensor of that name, if there is one to compare with."""
        return next((tensor for tensor in self.tensors if tensor.name == name), None)


def load_expected(workload: Workload, spec: NetworkSpec, layout: Layout, steps_in_file: int | None) -> Expected | None:
    """Load the results that the workload's section expected names; None without that section.

    `steps_in_file`: the time steps of the input's file, of which the run may take the first; None if it is drawn.

    WorkloadError for a file that holds none, or tensors that do not fit.
    """
    source = workload.config.expected
    if source is None:
        return None
    path = workload.folder / source.file
    names = tensor_names(path)
    reader = _Reader(path, spec, layout, frozenset(names), steps_in_file or spec.steps)
    places = known_places(spec)
    chosen = _chosen(path, source, names, places)
    if not chosen:
        if workload.config.task is not None and workload.config.task.expected is not None:
            return Expected((), source.tolerance, source.within_codes, _others(workload, path, source, names, places))
        listed = ", ".join(names[:12]) or "nothing"
        raise _fault(path, "", f"holds no results: expected any of {_listed(places)}; the file holds {listed}")
    tensors, left_out = [], []
    for name in chosen:
        found = reader.read(name, places[name.removesuffix(_CODES) if name not in places else name])
        if isinstance(found, str):
            left_out.append(found)
        else:
            tensors.append(found)
    others = _others(workload, path, source, names, places)
    return Expected(tuple(tensors), source.tolerance, source.within_codes, (*left_out, *others))


def known_places(spec: NetworkSpec) -> dict[str, Place]:
    """The places of all tensors that a file of expected results may hold, by name."""
    every = tuple(range(len(spec.cells)))
    found = {"output": Place("output", every)}
    if same_sizes(spec):
        found["h_n"] = Place("h_n", every)
        if spec.cells[0].kind is CellKind.LSTM:
            found["c_n"] = Place("c_n", every)
    for number, (cell, suffix) in enumerate(zip(spec.cells, suffixes(spec), strict=True)):
        inside = [f"gate_{gate}" for gate in GATES[cell.kind]]
        states = ["h_n"]
        if cell.kind is CellKind.LSTM:
            inside, states = ["c", *inside], ["h_n", "c_n"]
        for name in (*states, *inside):
            place = Place(name.removeprefix("gate_"), (number,))
            found[f"{name}{suffix}"] = place
            if len(every) == 1:
                found.setdefault(name, place)
    return found


def _chosen(path: Path, source: ExpectedSource, names: tuple[str, ...], places: dict[str, Place]) -> list[str]:
    """The tensors to compare: those that are known, or the ones that the workload names."""
    allowed = [*places, *(f"{name}{_CODES}" for name in places)]
    if source.tensors is None:
        return [name for name in allowed if name in names]
    for name in source.tensors:
        if name not in names:
            raise _fault(path, name, f"no such tensor; the file holds: {', '.join(names[:12]) or 'nothing'}")
        if name not in allowed:
            raise _fault(path, name, f"cannot be compared with a run; that can be any of {_listed(places)}")
    return list(dict.fromkeys(source.tensors))


def _listed(places: dict[str, Place]) -> str:
    names = list(places)
    return ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")


def _others(
    workload: Workload, path: Path, source: ExpectedSource, names: tuple[str, ...], places: dict[str, Place]
) -> tuple[str, ...]:
    """The sentence on tensors in the file that are no results and that nothing in the workload takes."""
    if source.tensors is not None:
        return ()
    taken = set(_taken(workload, path))
    results = {f"{name}{end}" for name in places for end in ("", _CODES, _SCALE, _ZERO)}
    weights = any(_same(workload, file, path) for file in (workload.config.weights.file,))
    left = [
        name
        for name in names
        if name not in taken | results
        and not (weights and name.startswith(("weight", "bias", "peephole", "layer_norm")))
    ]
    if not left:
        return ()
    listed = ", ".join(left[:6]) + (", ..." if len(left) > 6 else "")
    return (f"{listed}: no result that a run has; name those to compare in expected.tensors, or rename them",)


def _taken(workload: Workload, path: Path) -> Iterator[str]:
    """The names of the tensors that other sections of the workload take from the same file."""
    config = workload.config
    if _same(workload, config.input.file, path):
        yield config.input.tensor
    if config.initial_state is not None and _same(workload, config.initial_state.file, path):
        yield from (config.initial_state.h_0, config.initial_state.c_0)
    if config.calibration.input is not None and _same(workload, config.calibration.input.file, path):
        yield config.calibration.input.tensor
    if config.task is not None:
        if config.task.expected is not None:
            yield config.task.expected
        if _same(workload, config.task.file, path):
            yield config.task.weight
            if config.task.bias is not None:
                yield config.task.bias


def _same(workload: Workload, file: str | None, path: Path) -> bool:
    return file is not None and (workload.folder / file).resolve() == path.resolve()


@dataclass(frozen=True, slots=True)
class _Reader:
    path: Path
    spec: NetworkSpec
    layout: Layout
    names: frozenset[str]
    steps: int
    """Time steps of the input's file."""

    def read(self, name: str, place: Place) -> ExpectedTensor | str:
        """The tensor, or why it cannot be compared: the run takes only the first steps of it."""
        codes = holds_integers(self.path, name)
        if name.endswith(_CODES) and not codes:
            raise _fault(self.path, name, "holds codes by its name, expected integers")
        if place.quantity in ("h_n", "c_n"):
            parts = self._states(name, place, codes)
            if self._cut():
                return f"{name}: it is of the last of the {self._steps_in_file():,} steps, the run takes the first"
        else:
            sequence, whole = self._sequence(name, self._features(place), codes)
            if not whole and self.spec.runs_in_reverse:
                return f"{name}: a layer runs in reverse, so that it depends on steps that the run does not take"
            parts = (sequence,)
        base = name.removesuffix(_CODES) if codes else name
        scales, zeros = self._numbers(base + _SCALE, len(parts)), self._numbers(base + _ZERO, len(parts))
        return ExpectedTensor(
            name, place, parts, codes, scales, None if zeros is None else tuple(round(zero) for zero in zeros)
        )

    def _features(self, place: Place) -> int:
        return self.spec.output_size if place.quantity == "output" else self.spec.cells[place.cells[0]].hidden_size

    def _states(self, name: str, place: Place, codes: bool) -> tuple[npt.NDArray[Any], ...]:
        cell = self.spec.cells[place.cells[0]]
        features = cell.output_size if place.quantity == "h_n" else cell.hidden_size
        stacked = name.removesuffix(_CODES) in ("h_n", "c_n")
        shape = self.layout.state_shape(len(place.cells), self.spec.batch, features)
        read = self._array(name, shape if stacked else shape[1:], codes)
        return tuple(np.ascontiguousarray(self.layout.state_in(read if stacked else read[None])))

    def _sequence(self, name: str, features: int, codes: bool) -> tuple[npt.NDArray[Any], bool]:
        """The first steps (T, B, features), and whether these are all."""
        wanted = self.layout.sequence_shape(self.spec.steps, self.spec.batch, features)
        got, axis = tensor_shape(self.path, name), self.layout.time_axis
        if len(got) == len(wanted) and got[axis] > self.spec.steps:
            wanted = (*wanted[:axis], got[axis], *wanted[axis + 1 :])
        read = self.layout.sequence_in(self._array(name, wanted, codes))
        return np.ascontiguousarray(read[: self.spec.steps]), len(read) == self.spec.steps

    def _steps_in_file(self) -> int:
        """The steps of the file's sequences, by its output or whatever it has by step; else those of the input's."""
        axis = self.layout.time_axis
        for name, place in known_places(self.spec).items():
            for stored in (name, name + _CODES):
                if stored in self.names and place.quantity not in ("h_n", "c_n"):
                    shape = tensor_shape(self.path, stored)
                    return shape[axis] if len(shape) > axis else self.steps
        return self.steps

    def _cut(self) -> bool:
        return self._steps_in_file() > self.spec.steps

    def _array(self, name: str, shape: Shape, codes: bool) -> npt.NDArray[Any]:
        if codes:
            return read_integers(self.path, {name: shape})[name]
        return read_float64(self.path, {name: shape})[name]

    def _numbers(self, name: str, count: int) -> tuple[float, ...] | None:
        """A scale or zero point for each part, or one for all; None if the file has none."""
        if name not in self.names:
            return None
        shape = tensor_shape(self.path, name)
        if shape not in ((), (1,), (count,)):
            raise _fault(self.path, name, f"expected one number, or {count}, got shape {shape}")
        read = self._array(name, shape, holds_integers(self.path, name)).ravel()
        if name.endswith(_SCALE) and not np.all(read > 0):
            raise _fault(self.path, name, "expected scales above 0")
        return tuple(float(value) for value in np.broadcast_to(read, count))


def _fault(path: Path, tensor: str, message: str) -> WorkloadError:
    return WorkloadError((Fault(str(path), tensor, message),))
