"""Sets values from the command line (`--set mac_array.rows=32`), and knows where each value came from."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from archsim.config.document import Document
from archsim.config.events import MAX_BYTES
from archsim.config.slots import Slot, inner_slot, member_for_tag
from archsim.config.text import KeyPath, dotted, shorten, shown_with_type
from archsim.config.tree import MAX_DEPTH, read_tree
from archsim.errors import Fault, FaultsError


@dataclass(frozen=True, slots=True)
class Override:
    """One value to set: `path` with dots between the keys, `value` as YAML text."""

    path: str
    value: str

    def __str__(self) -> str:
        return f"--set {shorten(self.path)}={shorten(self.value)}"


def parse_override(text: str, error: type[FaultsError] = FaultsError) -> Override:
    """Split "mac_array.rows=32" at its first "="; raises `error` when there is none or a key is empty.

    The value is not looked at here: `validate` does, so that its faults come together with those of the file.
    """
    path, equals, value = text.partition("=")
    path = path.strip()
    if not equals or not all(path.split(".")):
        message = "expected PATH=VALUE, as mac_array.rows=32"
        raise error((Fault(f"--set {shorten(text)}".rstrip(), "", message),))
    return Override(path, value)


Overrides = Sequence[Override | str]
"""Values to set as a program gives them: what `parse_override` makes, or the texts that it takes."""


def as_overrides(given: Overrides, error: type[FaultsError]) -> tuple[Override, ...]:
    """The overrides, texts among them parsed; raises `error` for a text that is none, TypeError for anything else."""
    found = []
    for one in [given] if isinstance(given, str) else given:
        if not isinstance(one, str | Override):
            raise TypeError(f"overrides are texts as 'mac_array.rows=32', not {type(one).__name__}")
        found.append(parse_override(one, error) if isinstance(one, str) else one)
    return tuple(found)


@dataclass(slots=True)
class Edited:
    """A document's data after the overrides, which of them set what, and the faults of the others."""

    document: Document
    overrides: tuple[Override, ...]
    data: dict[str, Any]
    origins: dict[KeyPath, Override] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def where(self, path: KeyPath) -> str:
        """Where the value at `path` came from: the override, or else the file and line."""
        override = self._override(path)
        return f"{self.document.source}:{self._line(path)}" if override is None else str(override)

    def order(self, path: KeyPath) -> tuple[int, int]:
        """A key that sorts faults by place: the lines of the file first, then the overrides as they were given."""
        override = self._override(path)
        return (0, self._line(path)) if override is None else (1, self.overrides.index(override))

    def _override(self, path: KeyPath) -> Override | None:
        # Whatever the file has inside a value that was set is gone, so any override on the way is the origin.
        prefixes = (path[:length] for length in range(len(path), -1, -1))
        return next((self.origins[prefix] for prefix in prefixes if prefix in self.origins), None)

    def _line(self, path: KeyPath) -> int:
        lines = self.document.lines
        prefixes = (path[:length] for length in range(len(path), -1, -1))
        return next((lines[prefix] for prefix in prefixes if prefix in lines), 1)

    def set_inside(self, path: KeyPath) -> tuple[Override, ...]:
        """The overrides that set something inside the value at `path`."""
        found = (override for at, override in self.origins.items() if at[: len(path)] == path)
        return tuple(dict.fromkeys(found))


def apply_overrides(document: Document, overrides: Sequence[Override], slot: Slot | None = None) -> Edited:
    """Set the overrides one after the other, so that later ones win; `document` is left as it is.

    `slot` is what the document is validated against: where a model has a `shorthand`, the key that a plain string
    stands for, a key can be set beside such a string.
    """
    edited = Edited(document, tuple(overrides), copy.deepcopy(document.data))
    for override in overrides:
        _apply(edited, override, slot)
    return edited


def _apply(edited: Edited, override: Override, slot: Slot | None) -> None:
    path: tuple[str, ...] = tuple(override.path.split("."))
    where = str(override)
    if len(path) > MAX_DEPTH:
        edited.faults.append(Fault(where, "", f"nested deeper than {MAX_DEPTH} levels"))
        return
    if len(override.value) > MAX_BYTES:
        edited.faults.append(Fault(where, "", f"longer than {MAX_BYTES:,} characters"))
        return
    tree = read_tree(override.value, path)
    if tree.faults:
        edited.faults.extend(Fault(where, dotted(fault.path or path), fault.message) for fault in tree.faults)
        return
    node = edited.data
    for depth in range(1, len(path)):
        inner = node.get(path[depth - 1])
        slot = None if slot is None else inner_slot(_chosen(slot, node), path[depth - 1])
        shorthand = getattr(slot.model, "shorthand", None) if slot is not None else None
        if shorthand is not None and isinstance(inner, str):
            inner = node[path[depth - 1]] = {shorthand: inner}
        if inner is not None and not isinstance(inner, dict):
            edited.faults.append(Fault(where, dotted(path), _no_way_through(path[:depth], inner)))
            return
        if inner is None:
            inner = node[path[depth - 1]] = {}
            edited.origins[path[:depth]] = override
        node = inner
    node[path[-1]] = tree.value
    # What was set deeper inside the replaced value is gone.
    for at in [at for at in edited.origins if at[: len(path)] == path]:
        del edited.origins[at]
    edited.origins[path] = override


def _chosen(slot: Slot, node: dict[str, Any]) -> Slot:
    """The slot of the union's member that the node's own tag chooses; other slots as they are."""
    if slot.discriminator is None:
        return slot
    return member_for_tag(slot, node.get(slot.discriminator)) or slot


def _no_way_through(path: KeyPath, value: object) -> str:
    name = dotted(path)
    if isinstance(value, list):
        return f"{name} is a list, whose elements cannot be set one by one; set the whole list, as {name}=[1, 2]"
    return f"{name} is {shown_with_type(value)}, so there is no key to set inside it"
