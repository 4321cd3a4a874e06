"""Translates pydantic's errors: each once, at the user's path, in words without pydantic's jargon."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, get_args

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails, core_schema

from archsim.config.mistakes import (
    Problem,
    key_of_others,
    missing_key,
    refused_key,
    unknown_key,
    wrong_tag,
    wrong_value,
)
from archsim.config.slots import Slot, choices, inner_slot, is_list, is_mapping, member_for_tag, slot_of
from archsim.config.text import KeyPath, one_line

_PYDANTIC_TYPES = frozenset(get_args(core_schema.ErrorType))
_RAISED_BY_VALIDATORS = frozenset({"value_error", "assertion_error"})
_OUT_OF_BOUNDS = frozenset(
    {
        "greater_than",
        "greater_than_equal",
        "less_than",
        "less_than_equal",
        "multiple_of",
        "string_pattern_mismatch",
        "string_too_long",
        "string_too_short",
    }
)


def problems_of(failure: ValidationError, slot: Slot, data: object, base: KeyPath = ()) -> list[Problem]:
    """All problems behind the failure of validating `data` against `slot`; `base` is put before all paths."""
    unions: set[KeyPath] = set()
    found: list[Problem] = []
    for error in failure.errors(include_url=False):
        found.extend(_problems(error, error["loc"], slot, data, base, unions))
    return list(dict.fromkeys(found))


def inexact_choices(slot: Slot, value: object, path: KeyPath = ()) -> Iterator[Problem]:
    """Find booleans and decimals that pydantic takes for an equal integer choice (true for 1, 8.0 for 8)."""
    options = choices(slot) if isinstance(value, bool | float) else ()  # some ask all installed packages
    if options:
        if not any(type(option) is type(value) and option == value for option in options):
            yield wrong_value(slot, value, path)
        return
    if slot.members:
        chosen = _chosen_member(slot, value)
        if chosen is not None:
            yield from inexact_choices(chosen, value, path)
        return
    parts: Iterable[tuple[str | int, object]] = ()
    if isinstance(value, dict):
        parts = value.items()
    elif isinstance(value, list):
        parts = enumerate(value)
    for part, item in parts:
        inner = inner_slot(slot, part)
        if inner is not None:
            yield from inexact_choices(inner, item, (*path, part))


def _problems(
    error: ErrorDetails, loc: KeyPath, slot: Slot, value: object, path: KeyPath, unions: set[KeyPath]
) -> Iterator[Problem]:
    """Follow `loc` down from `slot`, then say what is wrong there; `unions` are those that had their say."""
    kind = error["type"]
    if slot.members and slot.discriminator is None:
        if path not in unions:
            unions.add(path)
            yield from _union_problems(slot, value, path)
    elif slot.members and loc:
        # pydantic puts the chosen tag into the location; it is no key of the user's.
        member = _chosen_member(slot, value) or slot_of(Any)
        if len(loc) == 2 and kind == "extra_forbidden":
            chosen = value.get(slot.discriminator) if isinstance(value, dict) else None
            yield key_of_others(slot, member, str(loc[1]), path, chosen)
            return
        yield from _problems(error, loc[1:], member, value, path, unions)
    elif len(loc) == 1 and kind == "extra_forbidden":
        yield unknown_key(slot, str(loc[0]), path)
    elif len(loc) == 1 and kind == "missing":
        if isinstance(loc[0], str):
            yield missing_key(inner_slot(slot, loc[0]), loc[0], path)
        else:
            # An element of a list of fixed length.
            yield wrong_value(slot, value, path)
    elif len(loc) == 2 and loc[1] == "[key]" and slot.model is None and is_mapping(slot):
        yield refused_key(slot, str(loc[0]), path)
    elif loc:
        part = loc[0]
        inner = inner_slot(slot, part) or slot_of(Any)
        yield from _problems(error, loc[1:], inner, _inside(value, part, error), (*path, part), unions)
    elif slot.members and isinstance(value, dict):
        yield wrong_tag(slot, value, path)
    else:
        yield _at_value(error, slot, value, path)


def _at_value(error: ErrorDetails, slot: Slot, value: object, path: KeyPath) -> Problem:
    kind = error["type"]
    why = ""
    if kind in _RAISED_BY_VALIDATORS:
        why = " ".join(str(error["ctx"]["error"]).split())
    elif kind not in _PYDANTIC_TYPES:
        why = " ".join(error["msg"].split())
    if why and isinstance(value, dict):
        return Problem(path, one_line(why), whole=True)
    a_choice = isinstance(value, str) and any(isinstance(option, str) for option in choices(slot))
    bare = kind in _OUT_OF_BOUNDS or a_choice or bool(why)
    return wrong_value(slot, value, path, bare=bare, why=one_line(why))


def _union_problems(slot: Slot, value: object, path: KeyPath) -> Iterator[Problem]:
    """The faults inside the one member that was meant, if that is clear; else that no member fits."""
    meant = _chosen_member(slot, value)
    if meant is not None:
        try:
            TypeAdapter(meant.declared).validate_json(json.dumps(value), strict=True)
        except ValidationError as failure:
            yield from problems_of(failure, meant, value, path)
            return
    yield wrong_value(slot, value, path)


def _chosen_member(slot: Slot, value: object) -> Slot | None:
    """The member of a union that `value` is meant for: by its tag, or as the only mapping or list."""
    key = slot.discriminator
    if key is not None:
        return member_for_tag(slot, value.get(key)) if isinstance(value, dict) else None
    fitting = [
        member
        for member in slot.members
        if (isinstance(value, dict) and (is_mapping(member) or member.discriminator))
        or (isinstance(value, list) and is_list(member))
    ]
    return fitting[0] if len(fitting) == 1 else None


def _inside(value: object, part: str | int, error: ErrorDetails) -> object:
    """The element of the user's data at a step of `loc`; the value pydantic saw where a default is at fault."""
    if isinstance(value, dict) and part in value:
        return value[part]
    if isinstance(value, list) and isinstance(part, int) and part < len(value):
        return value[part]
    return error["input"]
