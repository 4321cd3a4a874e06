"""Puts the steps of cells that a graph writes out one after the other, and finds which cells feed one another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.importers.found import FoundLayer
from archsim.importers.onnx.onnx_affine import Atom, Forms
from archsim.importers.onnx.onnx_graph import MAX_DEPTH
from archsim.importers.onnx.onnx_step import Step
from archsim.importers.onnx.onnx_written import Sums
from archsim.workload.network import CellKind


@dataclass(frozen=True, slots=True)
class Chain:
    """The steps of one cell in the order in which they are computed."""

    steps: tuple[Sums, ...]

    @property
    def first(self) -> Step:
        """The first step."""
        return self.steps[0].step

    def x_of(self, place: int) -> set[Atom]:
        """What a step behind the first is over, but h."""
        return self.steps[place].atoms - {Atom(self.steps[place - 1].step.h)}


def chained(steps: Sequence[Sums]) -> list[Chain]:
    """The steps as chains, each step after the one whose h (and c) it takes."""
    by_state = {(sums.step.kind, sums.step.c or sums.step.h): sums for sums in steps}
    after: dict[str, Sums] = {}
    has_before: set[str] = set()
    for sums in steps:
        before = _before(sums, by_state)
        if before is not None and before.step.h not in after and before is not sums:
            after[before.step.h] = sums
            has_before.add(sums.step.h)
    chains = []
    for sums in steps:
        if sums.step.h in has_before:
            continue
        chain = [sums]
        while chain[-1].step.h in after and len(chain) <= len(steps):
            chain.append(after[chain[-1].step.h])
        chains.append(Chain(tuple(chain)))
    return chains


def _before(sums: Sums, by_state: Mapping[tuple[CellKind, str], Sums]) -> Sums | None:
    """The step before: by its c, by its h, or for an RNN by the h among what its sum is over."""
    step = sums.step
    if step.kind is not CellKind.RNN:
        return by_state.get((step.kind, step.c_before or step.before))
    if len(sums.atoms) != 2:
        return None
    known = (by_state.get((step.kind, atom.value)) for atom in sums.atoms if atom.index is None)
    found = [before for before in known if before is not None and _continues(before, sums)]
    return found[0] if len(found) == 1 else None


def _continues(before: Sums, sums: Sums) -> bool:
    """Whether an RNN's step has the matrices of the one before: over its h, and over the other thing."""
    h = Atom(before.step.h)
    recurrent = sums.forms["h"].terms[h]
    (inputs,) = (matrix for atom, matrix in sums.forms["h"].terms.items() if atom != h)
    own = list(before.forms["h"].terms.values())
    if len(own) == 1:  # an initial state of 0 may be left out
        return _same(own[0], inputs)
    ways = ((own[0], own[1]), (own[1], own[0])) if len(own) == 2 else ()
    return any(_same(one, inputs) and _same(other, recurrent) for one, other in ways)


def _same(one: NDArray[Any] | None, other: NDArray[Any] | None) -> bool:
    """Whether two matrices are equal; None is the matrix of an atom that is taken as it is."""
    return one is other if one is None or other is None else np.array_equal(one, other)


def input_order(
    forms: Forms, made: Mapping[str, tuple[Chain, FoundLayer]]
) -> tuple[list[FoundLayer], tuple[tuple[str, str], ...]]:
    """The layers with what feeds them, and the pairs of directions over one input."""
    outputs = {tuple(sums.step.h for sums in chain.steps): name for name, (chain, _) in made.items()}
    reverse = {name for name, (_, layer) in made.items() if layer.config.reverse}
    sources: dict[str, object] = {}
    linked = []
    for name, (chain, layer) in made.items():
        atoms = chain.x_of(1) if len(chain.steps) > 1 else set()
        source = next(iter(atoms)).value if len(atoms) == 1 else ""
        sources[name] = source
        own = [next(iter(chain.x_of(place))).value for place in range(1, len(chain.steps))] if source else []
        below = next((other for hs, other in outputs.items() if own and list(hs[1:]) == own), "")
        names = (below,) if below else _sequence(forms, source, outputs, reverse)
        width = sum(made[other][1].config.hidden_size for other in names)
        fed = bool(names) and width == layer.input_size and name not in names
        words = "the output of " + " and ".join(names)
        first = below != "" and any(atom.index is None for atom in atoms)
        moved = replace(layer, batch_first=made[below][1].batch_first) if first and below in made else layer
        linked.append(replace(moved, fed_by=names, input_from=words) if fed else moved)
    same_order = {layer.name: layer for layer in linked}
    for name, layer in same_order.items():
        if layer.fed_by:
            same_order[name] = replace(layer, batch_first=same_order[layer.fed_by[0]].batch_first)
    pairs = _pairs(forms, outputs, reverse, sources)
    return list(same_order.values()), pairs


def _sequence(
    forms: Forms, value: str, outputs: Mapping[tuple[str, ...], str], reverse: set[str], sides: int = 2
) -> tuple[str, ...]:
    """The cells whose outputs a value holds, all steps in order, side by side; empty if it holds anything else."""
    node = forms.producer(forms.plain(value)) if value and outputs else None
    for _ in range(MAX_DEPTH):
        if node is None or node.op_type != "Transpose":
            break
        node = forms.producer(forms.plain(node.input[0]))
    if node is None or node.op_type != "Concat":
        return ()
    parts = tuple(forms.plain(part) for part in node.input)
    for steps, turned in ((parts, False), (parts[::-1], True)):
        name = outputs.get(steps)
        if name is not None and (name in reverse) == turned:
            return (name,)
    if len(parts) != 2 or sides < 2:
        return ()
    first, second = (_sequence(forms, part, outputs, reverse, 1) for part in parts)
    return (*first, *second) if first and second and first != second else ()


def _pairs(
    forms: Forms, outputs: Mapping[tuple[str, ...], str], reverse: set[str], sources: Mapping[str, object]
) -> tuple[tuple[str, str], ...]:
    """A forward and a reverse cell over one input, whose outputs the graph puts side by side."""
    pairs: dict[tuple[str, str], None] = {}
    for node in forms.scope.graph.node:
        if node.op_type == "Concat" and len(node.input) == 2 and node.output:
            names = _sequence(forms, node.output[0], outputs, reverse)
            if len(names) == 2 and names[0] not in reverse and names[1] in reverse:
                pairs[names[0], names[1]] = None
    return tuple(pairs)
