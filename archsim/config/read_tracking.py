"""Tracks which fields of a configuration a computation reads, so that its result can be used again.

A computation that is a pure function of a configuration gives the same result for another one in which every field that
it read is the same: up to its first differing read the two runs are the same, and there is none. `ReadTracker` gives
the computation a stand-in that looks like the configuration and notes each read. Where a field is only compared with a
limit the answer matters, not the value: the computation says so with `read_only_as`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from types import FunctionType, MethodType
from typing import Any, TypeVar, cast

from pydantic import BaseModel

from archsim.config.types import StrictModel
from archsim.errors import SimulatorBug

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked about the field at a path, and the answer."""

    path: str
    question: Callable[[Any], object]
    answer: object


class ReadTracker:
    """Notes what is read of a configuration, until `close`."""

    def __init__(self, config: StrictModel) -> None:
        self.values: dict[str, object] = {"__class__": type(config)}
        """Path -> value of each field that was read, as "mac_array.rows"; "dram.__class__" for a section's type."""
        self.questions: list[Question] = []
        self._open = True
        self.stand_in: Any = _StandIn(self, config, "")
        """What to give to the computation in place of the configuration."""

    def close(self) -> None:
        """End the computation: a later read raises SimulatorBug, for nobody would know of it."""
        self._open = False

    @property
    def is_open(self) -> bool:
        """Whether reads are noted."""
        return self._open

    def note(self, path: str, value: object) -> None:
        """Note that a field was read."""
        if not self._open:
            raise SimulatorBug(f"{path} is read after what depends on it was made")
        self.values[path] = value

    def note_question(self, question: Question) -> None:
        """Note that a field was asked about."""
        if not self._open:
            raise SimulatorBug(f"{question.path} is read after what depends on it was made")
        self.questions.append(question)


def read_only_as(section: object, field: str, question: Callable[[Any], Answer]) -> Answer:
    """The answer to question(section.field), where nothing else about the field matters.

    `question` is a pure function of the value and of what was read before.
    """
    if type(section) is not _StandIn:
        return question(getattr(section, field))
    return _inner(section).read_only_as(field, question)


class FieldReader:
    """Reads the fields at some paths of a configuration, all at once."""

    def __init__(self, paths: tuple[str, ...]) -> None:
        self._get = attrgetter(*paths)
        self._several = len(paths) > 1

    def values_in(self, config: StrictModel) -> tuple[object, ...] | None:
        """The values of the fields in a configuration; None if it has no such fields."""
        try:
            found = self._get(config)
        except AttributeError:
            return None
        return cast("tuple[object, ...]", found) if self._several else (found,)


class _Inner:
    """The state behind a stand-in: the model, its path, who notes the reads, and what was read before."""

    __slots__ = ("fields", "model", "path", "read", "reads")

    def __init__(self, reads: ReadTracker, model: StrictModel, path: str) -> None:
        self.reads = reads
        self.model = model
        self.path = path
        self.read: dict[str, object] = {}
        self.fields = type(model).model_fields

    def below(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def whole(self) -> StrictModel:
        """The model itself; all of it counts as read."""
        if not self.path:
            for name in type(self.model).model_fields:
                self.reads.note(name, getattr(self.model, name))
        else:
            self.reads.note(self.path, self.model)
        return self.model

    def read_only_as(self, field: str, question: Callable[[Any], Answer]) -> Answer:
        answer = question(getattr(self.model, field))
        self.reads.note_question(Question(self.below(field), question, answer))
        return answer


class _StandIn:
    """Looks like a configuration model. A property or method of the model's own runs on the stand-in."""

    __slots__ = ("_inner",)

    def __init__(self, reads: ReadTracker, model: StrictModel, path: str) -> None:
        object.__setattr__(self, "_inner", _Inner(reads, model, path))

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return type(_inner(self).model)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the model has
        inner: _Inner = _get(self, "_inner")
        if name in inner.read and inner.reads.is_open:
            return inner.read[name]
        model = inner.model
        if name in inner.fields:
            found = inner.read[name] = _field(inner, name)
            return found
        own = _own_attribute(type(model), name)
        if isinstance(own, property) and own.fget is not None:
            return own.fget(self)
        if isinstance(own, FunctionType):
            return MethodType(own, self)
        return getattr(inner.whole(), name)

    def __setattr__(self, name: str, value: object) -> None:
        raise SimulatorBug(f"{name}: a configuration is not changed")

    def __eq__(self, other: object) -> bool:
        return _inner(self).whole() == (_inner(other).whole() if type(other) is _StandIn else other)

    def __hash__(self) -> int:
        return hash(_inner(self).whole())

    def __repr__(self) -> str:
        return repr(_inner(self).whole())


_get = object.__getattribute__


def _inner(stand_in: object) -> _Inner:
    return cast("_Inner", _get(stand_in, "_inner"))


def _field(inner: _Inner, name: str) -> object:
    value, path = getattr(inner.model, name), inner.below(name)
    if not isinstance(value, StrictModel):
        inner.reads.note(path, value)
        return value
    inner.reads.note(f"{path}.__class__", type(value))
    return _StandIn(inner.reads, value, path)


def _own_attribute(model: type, name: str) -> object:
    """The attribute that a class between the model and pydantic's base defines; None if none does."""
    for owner in model.__mro__:
        if owner is BaseModel or owner is StrictModel:
            return None
        if name in owner.__dict__:
            return owner.__dict__[name]
    return None
