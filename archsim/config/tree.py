"""Turns parser events into plain Python data, and collects every fault on the way."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import __version__ as ruamel_version
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from archsim.config.events import SyntaxFault, YamlEvent, events_of, refused_character
from archsim.config.files.kept_files import KeptFiles
from archsim.config.files.sources import sources_digest, sources_of
from archsim.config.scalars import Scalar, ScalarError, plain_scalar
from archsim.config.text import KeyPath, shown, shown_with_type

MAX_DEPTH = 20
"""Deepest nesting of mappings and lists."""

FEWEST_KEPT = 8192
"""Characters from which what a text holds is kept on disk: it is there in a tenth of the time that parsing takes."""

_CORE = "tag:yaml.org,2002:"
_SCALAR_TAGS: dict[str, type] = {"str": str, "int": int, "float": float, "bool": bool, "null": type(None)}


class LocatedFault(NamedTuple):
    """A fault with its 1-based line and its path; the caller knows what the text is called."""

    line: int
    path: KeyPath
    message: str


@dataclass(slots=True)
class Tree:
    """What a text holds. `value` means something only without `faults`; `empty` is a text without a value."""

    value: Any = None
    empty: bool = True
    lines: dict[KeyPath, int] = field(default_factory=dict)
    faults: list[LocatedFault] = field(default_factory=list)

    def to_json(self) -> bytes:
        """The tree as JSON; only of one without faults."""
        return json.dumps((self.value, self.empty, list(self.lines.items()))).encode()

    @classmethod
    def from_json(cls, content: bytes) -> Tree:
        """The tree that was written."""
        value, empty, lines = json.loads(content)
        return cls(value, empty, {tuple(path): line for path, line in lines})


def read_tree(text: str, base: KeyPath = ()) -> Tree:
    """Read one YAML document; never raises for what the text holds.

    `base` is the path at which the value stands: all paths start with it, and it counts for the depth.
    """
    read = _read(text, base)
    # Lists and mappings are the caller's own; paths, lines and faults cannot change, which deepcopy finds out of each.
    return Tree(deepcopy(read.value), read.empty, dict(read.lines), list(read.faults))


@lru_cache(maxsize=32)
def _read(text: str, base: KeyPath) -> Tree:
    """What read_tree reads: a sweep over a preset reads its text once, the parser being slower than the rest.

    What a long text holds is kept on disk, too, if it has no fault.
    """
    if len(text) < FEWEST_KEPT:
        return _parsed(text, base)
    files, digest = KeptFiles("documents"), _digest(text, base)
    kept = files.get(digest)
    if kept is not None:
        return Tree.from_json(kept)
    tree = _parsed(text, base)
    if not tree.faults:
        files.put(digest, tree.to_json())
    return tree


def _digest(text: str, base: KeyPath) -> bytes:
    """32 bytes that differ where the text, its place, or anything that reads it does."""
    sources = sources_digest(sources_of(Path(__file__).parent))
    return hashlib.sha256(repr((sources, ruamel_version, base, text)).encode()).digest()


def _parsed(text: str, base: KeyPath) -> Tree:
    reader = _Reader(text)
    try:
        reader.document(base)
    except SyntaxFault as fault:
        reader.tree.faults.append(LocatedFault(fault.line, (), fault.message))
    return reader.tree


class _Reader:
    def __init__(self, text: str) -> None:
        self.tree = Tree()
        self._events: Iterator[YamlEvent] = events_of(text)

    def document(self, base: KeyPath) -> None:
        documents = 0
        for event in self._events:
            if isinstance(event, DocumentStartEvent):
                documents += 1
                if documents > 1:
                    message = "only one YAML document is allowed, another starts here"
                    raise SyntaxFault(event.start_mark.line + 1, message)
                if event.version not in (None, (1, 2)):
                    self._fault(event, (), "only YAML 1.2 is read; remove the %YAML line")
            elif isinstance(event, ScalarEvent | SequenceStartEvent | MappingStartEvent | AliasEvent):
                self.tree.empty = isinstance(event, ScalarEvent) and event.value == "" and not event.style
                self.tree.lines[base] = event.start_mark.line + 1
                self.tree.value = self._value(event, base)

    def _fault(self, event: YamlEvent, path: KeyPath, message: str) -> None:
        self.tree.faults.append(LocatedFault(event.start_mark.line + 1, path, message))

    def _value(self, event: YamlEvent, path: KeyPath) -> object:
        self._refuse_anchor(event, path)
        if isinstance(event, AliasEvent):
            return None
        if isinstance(event, ScalarEvent):
            return self._scalar(event, path)
        if len(path) >= MAX_DEPTH:
            raise SyntaxFault(event.start_mark.line + 1, f"nested deeper than {MAX_DEPTH} levels")
        if isinstance(event, SequenceStartEvent):
            self._check_collection_tag(event, path, "seq")
            return self._list(path)
        self._check_collection_tag(event, path, "map")
        return self._mapping(path)

    def _refuse_anchor(self, event: YamlEvent, path: KeyPath) -> None:
        if event.anchor is not None:
            sign = "*" if isinstance(event, AliasEvent) else "&"
            self._fault(event, path, f"anchors and aliases are not allowed, found {shown(sign + event.anchor)}")

    def _list(self, path: KeyPath) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := next(self._events), SequenceEndEvent):
            item_path = (*path, len(items))
            self.tree.lines[item_path] = event.start_mark.line + 1
            items.append(self._value(event, item_path))
        return items

    def _mapping(self, path: KeyPath) -> dict[str, Any]:
        result: dict[str, Any] = {}
        first_lines: dict[str, int] = {}
        while not isinstance(event := next(self._events), MappingEndEvent):
            line = event.start_mark.line + 1
            key = self._key(event, path)
            if key is None:
                # Refused already; its value is still read, for the faults in it.
                self._value(next(self._events), (*path, "?"))
                continue
            if key in first_lines:
                self._fault(event, (*path, key), f"duplicate key, first given on line {first_lines[key]}")
            first_lines.setdefault(key, line)
            self.tree.lines.setdefault((*path, key), line)
            result.setdefault(key, self._value(next(self._events), (*path, key)))
        return result

    def _key(self, event: YamlEvent, path: KeyPath) -> str | None:
        """The key of a mapping's next entry, or None when a fault was found in it."""
        known = len(self.tree.faults)
        if not isinstance(event, ScalarEvent):
            if not isinstance(event, AliasEvent):
                self._fault(event, path, "a key must be a string, found a list or mapping")
            self._value(event, (*path, "?"))
            return None
        if event.value == "<<" and not event.style:
            self._fault(event, path, "merge keys ('<<') are not allowed")
        self._refuse_anchor(event, path)
        key = self._scalar(event, path)
        if len(self.tree.faults) > known:
            return None
        if not isinstance(key, str):
            self._fault(event, path, f"a key must be a string, found {shown_with_type(key)}; put it in quotes")
            return None
        return key

    def _scalar(self, event: YamlEvent, path: KeyPath) -> Scalar:
        text = str(event.value)
        refused = refused_character(text)
        if refused is not None:
            # An escape in double quotes, "\0", brings in what the check of the raw text could not see.
            self._fault(event, path, f"control characters are not allowed, found {refused[1]}")
        try:
            return _tagged(event.tag, text) if event.tag else text if event.style else plain_scalar(text)
        except ScalarError as error:
            self._fault(event, path, str(error))
            return None

    def _check_collection_tag(self, event: YamlEvent, path: KeyPath, core: str) -> None:
        if event.tag is not None and event.tag != _CORE + core:
            self._fault(event, path, _tag_refusal(event.tag))


def _tagged(tag: str, text: str) -> Scalar:
    wanted = _SCALAR_TAGS.get(tag.removeprefix(_CORE)) if tag.startswith(_CORE) else None
    if wanted is None:
        raise ScalarError(_tag_refusal(tag))
    if wanted is str:
        return text
    value = plain_scalar(text)
    if wanted is float and type(value) is int:
        return float(value)
    if type(value) is not wanted:
        raise ScalarError(f"{shown(text)} does not fit its tag !!{tag.removeprefix(_CORE)}")
    return value


def _tag_refusal(tag: str) -> str:
    short = "!!" + tag.removeprefix(_CORE) if tag.startswith(_CORE) else tag
    return f"the tag {shown(short)} is not allowed; remove it"
