"""Finds what is expected where: from a type and the next key or index to the type that stands there."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, Discriminator
from pydantic.fields import FieldInfo


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for a value.

    `annotation` is its type without `Annotated` and without None, `metadata` the constraints on it,
    `nullable` whether null may stand there, `description` what it is for ("" when nobody says), `declared`
    the type as it was written.
    """

    annotation: Any
    metadata: tuple[Any, ...]
    nullable: bool
    description: str
    declared: Any

    @property
    def model(self) -> type[BaseModel] | None:
        """The model that is expected here, or None when it is something else."""
        found = self.annotation
        return found if isinstance(found, type) and issubclass(found, BaseModel) else None

    @property
    def members(self) -> tuple[Slot, ...]:
        """The alternatives of a union; () when it is none."""
        if not _is_union(self.annotation):
            return ()
        return tuple(slot_of(member, description=self.description) for member in get_args(self.annotation))

    @property
    def discriminator(self) -> str | None:
        """The key whose value chooses between the members of a union, or None."""
        for item in self.metadata:
            found = item.discriminator if isinstance(item, FieldInfo | Discriminator) else None
            found = found.discriminator if isinstance(found, Discriminator) else found
            if isinstance(found, str) and self.members:
                return found
        return None


def slot_of(declared: object, metadata: tuple[Any, ...] = (), description: str = "") -> Slot:
    """The slot of a type as declared, with what further constrains and describes it."""
    annotation: Any = declared
    collected = list(_flat(metadata))
    nullable = False
    while True:
        if hasattr(annotation, "__value__"):
            annotation = annotation.__value__
        elif get_origin(annotation) is Annotated:
            annotation, *extra = get_args(annotation)
            collected.extend(_flat(tuple(extra)))
        elif _is_union(annotation) and type(None) in get_args(annotation):
            nullable = True
            annotation = Union[tuple(arg for arg in get_args(annotation) if arg is not type(None))]  # noqa: UP007
        else:
            break
    own = [item.description for item in collected if isinstance(item, FieldInfo) and item.description]
    return Slot(annotation, tuple(collected), nullable, own[0] if own else description, declared)


@lru_cache(maxsize=256)
def field_slots(model: type[BaseModel]) -> Mapping[str, Slot]:
    """The slots of a model by the keys that the user writes."""
    slots = {info.alias or name: slot_of(info.annotation, (info,)) for name, info in model.model_fields.items()}
    return types.MappingProxyType(slots)


def inner_slot(slot: Slot, part: str | int) -> Slot | None:
    """The slot of one key or element inside `slot`, or None when there is none that is known."""
    if slot.model is not None:
        return field_slots(slot.model).get(str(part))
    arguments = get_args(slot.annotation)
    if is_mapping(slot):
        return slot_of(arguments[1], description=slot.description) if len(arguments) == 2 else None
    if is_list(slot) and isinstance(part, int):
        fixed = get_origin(slot.annotation) is tuple and Ellipsis not in arguments
        index = part if fixed else 0
        return slot_of(arguments[index], description=slot.description) if index < len(arguments) else None
    return None


def member_for_tag(slot: Slot, tag: object) -> Slot | None:
    """The member of a discriminated union that a value of its discriminator chooses, or None."""
    key = slot.discriminator
    for member in slot.members if key is not None else ():
        inner = member_for_tag(member, tag) if member.members else inner_slot(member, key or "")
        if inner is not None and (member.members or tag in choices(inner)):
            return member
    return None


@dataclass(frozen=True, slots=True)
class Choices:
    """Put into an `Annotated`: the names that may stand there, of archsim and of installed packages."""

    names: Callable[[], tuple[str, ...]]


def choices(slot: Slot) -> tuple[Any, ...]:
    """The values that a Literal, an enumeration or `Choices` allows; () for other slots."""
    named = next((item for item in slot.metadata if isinstance(item, Choices)), None)
    if named is not None:
        return named.names()
    if get_origin(slot.annotation) is Literal:
        return get_args(slot.annotation)
    if isinstance(slot.annotation, type) and hasattr(slot.annotation, "__members__"):
        return tuple(member.value for member in slot.annotation.__members__.values())
    return ()


def is_mapping(slot: Slot) -> bool:
    """Whether a YAML mapping is expected here: a model or a dict."""
    origin = get_origin(slot.annotation) or slot.annotation
    return slot.model is not None or (isinstance(origin, type) and issubclass(origin, Mapping))


def is_list(slot: Slot) -> bool:
    """Whether a YAML list is expected here."""
    origin = get_origin(slot.annotation) or slot.annotation
    if not isinstance(origin, type) or is_mapping(slot) or issubclass(origin, str | bytes):
        return False
    return hasattr(origin, "__iter__") and not hasattr(origin, "__members__")


def _is_union(annotation: object) -> bool:
    return get_origin(annotation) in (Union, types.UnionType)


def _flat(metadata: tuple[Any, ...]) -> Iterator[Any]:
    for item in metadata:
        yield item
        if isinstance(item, FieldInfo):
            yield from item.metadata
