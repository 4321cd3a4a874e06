"""The tensors of a file as an importer sees them: under other names, or computed from one another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from archsim.importers.found import Refused, Shape
from archsim.importers.tensors.derived import Derived, derived_weights
from archsim.importers.tensors.recipe import Reader

MAX_DERIVED_BYTES = 1 << 31


@dataclass(frozen=True, slots=True)
class TensorView:
    """Tensors by name: their shapes, and how they are read. `notes` are what is to be known of some of them."""

    shapes: Mapping[str, Shape]
    read: Reader
    notes: Mapping[str, str]

    def renamed(self, names: Mapping[str, str]) -> TensorView:
        """A view of the same tensors under other names; a new name that another tensor has already is left out."""
        taken = set(self.shapes)
        free = {old: new for old, new in names.items() if new == old or new not in taken}
        origin = {free.get(old, old): old for old in self.shapes}

        def read(wanted: Mapping[str, Shape]) -> Mapping[str, npt.NDArray[Any]]:
            found = self.read({origin[name]: shape for name, shape in wanted.items()})
            return {name: found[origin[name]] for name in wanted}

        return TensorView({new: self.shapes[old] for new, old in origin.items()}, read, self.notes)

    def with_derived(self) -> TensorView:
        """The tensors with those weights that a module computes, instead of the parameters they come from."""
        derived = derived_weights(self.shapes)
        sources = {source for one in derived.values() for source in one.sources}
        shapes = {name: shape for name, shape in self.shapes.items() if name not in sources}
        shapes |= {name: one.shape for name, one in derived.items()}

        def read(wanted: Mapping[str, Shape]) -> Mapping[str, npt.NDArray[Any]]:
            plain = {name: shape for name, shape in wanted.items() if name not in derived}
            found = dict(self.read(plain)) if plain else {}
            for name in wanted:
                if name in derived:
                    found[name] = self._computed(derived[name])
            return found

        return TensorView(shapes, read, {name: one.note for name, one in derived.items()})

    def _computed(self, derived: Derived) -> npt.NDArray[Any]:
        arrays = self.read({source: self.shapes[source] for source in derived.sources})
        first = arrays[derived.sources[0]]
        if 8 * first.size > MAX_DERIVED_BYTES:
            raise Refused("its weights are too large to be computed")
        return derived.compute(tuple(arrays[source] for source in derived.sources))

    def without(self, names: frozenset[str]) -> TensorView:
        """The other tensors."""
        return TensorView(
            {name: shape for name, shape in self.shapes.items() if name not in names}, self.read, self.notes
        )
