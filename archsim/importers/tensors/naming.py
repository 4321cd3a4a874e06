"""What the user says of others' names: `--rename PATTERN=NAME`, and `--map FILE`, which describes cells in full."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from archsim.config import StrictModel, load_document, validate
from archsim.config.text import shorten, shown
from archsim.errors import Fault, WorkloadError
from archsim.importers.tensors.recipe import TORCH_GATES, Recipe
from archsim.workload.network import CellKind

MAX_STARS = 4
_SYNONYMS = {"j": "g", "c": "g", "u": "z", "h": "n"}
Names = Annotated[str | tuple[str | None, ...], Field(description="a tensor, or one for each gate (null: zero)")]


@dataclass(frozen=True, slots=True)
class Rename:
    """A pattern of names, in which * is any text, and the name for them, with as many * at most."""

    pattern: str
    name: str

    def of(self, name: str) -> str | None:
        """The new name; None if the pattern does not fit."""
        parts = [re.escape(part) for part in self.pattern.split("*")]
        match = re.fullmatch("(.*)".join(parts), name, re.DOTALL)
        if match is None:
            return None
        texts = iter(match.groups())
        return re.sub(r"\*", lambda _: next(texts), self.name)


class CellMap(StrictModel):
    """Which tensors make a cell."""

    kind: CellKind = Field(description="lstm, gru or rnn")
    gates: tuple[str, ...] | None = Field(
        default=None, description="the gates in the file's order: i, f, g, o; r, z, n; torch's if left out"
    )
    weight_ih: Names | None = Field(default=None, description="the matrix, or matrices, of x")
    weight_hh: Names | None = Field(default=None, description="the matrix, or matrices, of h")
    weight: Names | None = Field(default=None, description="instead of both: over [x, h]")
    bias: Names | None = Field(default=None, description="the only bias")
    bias_ih: Names | None = Field(default=None, description="the bias of x")
    bias_hh: Names | None = Field(default=None, description="the bias of h")
    transposed: bool = Field(default=False, description="true: matrices are (inputs, rows), as in TensorFlow")
    forget_bias: Annotated[float, Field(ge=-1e3, le=1e3)] = Field(
        default=0.0, description="is added to the forget gate's bias"
    )
    linear_before_reset: bool = Field(default=True, description="GRU: false resets h before the product")

    @model_validator(mode="after")
    def _whole(self) -> CellMap:
        if (self.weight is None) == (self.weight_ih is None) or (self.weight_ih is None) != (self.weight_hh is None):
            raise ValueError("give either weight, or both weight_ih and weight_hh")
        if self.bias is not None and (self.bias_ih or self.bias_hh):
            raise ValueError("give either bias, or bias_ih and bias_hh")
        if self.forget_bias and self.kind is not CellKind.LSTM:
            raise ValueError(f"a cell of kind {self.kind} has no forget_bias")
        if not self.linear_before_reset and self.kind is not CellKind.GRU:
            raise ValueError(f"a cell of kind {self.kind} has no linear_before_reset")
        wanted = TORCH_GATES[self.kind]
        if self.kind is not CellKind.RNN and sorted(self._order) != sorted(wanted):
            raise ValueError(f"gates: expected {', '.join(wanted)} in the file's order")
        if any(name is None for names in (self.weight, self.weight_ih, self.weight_hh) for name in _tuple(names)):
            raise ValueError("only a bias may be null")
        return self

    @property
    def _order(self) -> tuple[str, ...]:
        wanted = TORCH_GATES[self.kind]
        given = wanted if self.gates is None else self.gates
        return tuple(gate if gate in wanted else _SYNONYMS.get(gate, gate) for gate in given)

    def recipe(self) -> Recipe:
        """The recipe for the cell."""
        return Recipe(
            self.kind,
            TORCH_GATES[self.kind] if self.kind is CellKind.RNN else self._order,
            weight_ih=_given(self.weight_ih),
            weight_hh=_given(self.weight_hh),
            weight=_given(self.weight),
            bias_ih=_tuple(self.bias if self.bias is not None else self.bias_ih),
            bias_hh=_tuple(self.bias_hh),
            transposed=self.transposed,
            forget_bias=self.forget_bias,
            linear_before_reset=self.linear_before_reset,
        )


def _tuple(names: Names | None) -> tuple[str | None, ...]:
    if names is None:
        return ()
    return (names,) if isinstance(names, str) else names


def _given(names: Names | None) -> tuple[str, ...]:
    return tuple(name for name in _tuple(names) if name is not None)


class MapFile(StrictModel):
    """The content of a `--map` file."""

    layers: Mapping[str, CellMap] = Field(description="the cells by the names that their layers shall have")


@dataclass(frozen=True, slots=True)
class Naming:
    """All that the user says of the names in a file of tensors."""

    renames: tuple[Rename, ...] = ()
    cells: Mapping[str, CellMap] | None = None

    @property
    def given(self) -> str:
        """The option that says something; "" if none does."""
        return "--rename" if self.renames else "--map" if self.cells is not None else ""

    def renamed(self, names: Sequence[str]) -> dict[str, str]:
        """Each name's new name; WorkloadError if two become one, or a pattern fits none."""
        used: set[Rename] = set()
        found = {}
        for name in names:
            for rename in self.renames:
                new = rename.of(name)
                if new is not None:
                    used.add(rename)
                    found[name] = new
                    break
            else:
                found[name] = name
        for rename in self.renames:
            if rename not in used:
                listed = shorten(", ".join(sorted(names)), 600)
                raise _wrong("--rename", f"{shown(rename.pattern)} fits no name in the file: {listed}")
        taken: dict[str, str] = {}
        for name, new in found.items():
            if new in taken:
                raise _wrong("--rename", f"{shown(taken[new])} and {shown(name)} both become {shown(new)}")
            taken[new] = name
        return found


def parse_rename(text: str) -> Rename:
    """The rename of `PATTERN=NAME`; WorkloadError if it is none."""
    pattern, equals, name = text.partition("=")
    stars = pattern.count("*")
    if not (pattern and equals and name) or name.count("*") > stars or stars > MAX_STARS:
        raise _wrong(
            "--rename",
            f"expected PATTERN=NAME, with at most {MAX_STARS} * in PATTERN and no more in NAME, got {shown(text)}",
        )
    return Rename(pattern, name)


def load_naming(renames: Sequence[str], map_file: Path | None) -> Naming:
    """What the options say; WorkloadError with what is wrong in them or in the file."""
    cells = None
    if map_file is not None:
        cells = validate(MapFile, load_document(map_file, WorkloadError), (), WorkloadError).layers
    return Naming(tuple(parse_rename(text) for text in renames), cells)


def _wrong(option: str, message: str) -> WorkloadError:
    return WorkloadError((Fault(option, "", message),))
