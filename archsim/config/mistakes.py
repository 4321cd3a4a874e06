"""Words the commonest mistakes: wrong value, unknown key, missing key, wrong kind."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Any, get_args

from archsim.config.allowed import allowed_for, allowed_keys, tags
from archsim.config.slots import Slot, choices, inner_slot, slot_of
from archsim.config.text import KeyPath, dotted, shown, shown_with_type


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with the value at `path`; `whole` when it is about values inside it together."""

    path: KeyPath
    message: str
    whole: bool = False


def wrong_value(slot: Slot, value: object, path: KeyPath, *, bare: bool = False, why: str = "") -> Problem:
    """The problem of a value that may not stand in `slot`; `bare` leaves out its type, `why` adds a reason."""
    got = shown(value) if bare else shown_with_type(value)
    return Problem(path, f"expected {allowed_for(slot)}, got {got}{f': {why}' if why else ''}")


def unknown_key(slot: Slot, key: str, path: KeyPath) -> Problem:
    """The problem of a key that the model of `slot`, at `path`, does not have.

    Where its keys come from other packages the model says with `key_noun` what they are.
    """
    keys = allowed_keys(slot)
    close = difflib.get_close_matches(key, keys, n=1)
    hint = f"; did you mean {shown(close[0])}?" if close else ";"
    names = ", ".join(dotted((name,)) for name in keys)
    noun = getattr(slot.model, "key_noun", "")
    if noun:
        return Problem((*path, key), f"no installed package offers this {noun}{hint} installed: {names or 'none'}")
    names = names or "no keys at all"
    return Problem((*path, key), f"unknown key{hint} allowed here: {names}")


def key_of_others(union: Slot, member: Slot, key: str, path: KeyPath, chosen: object) -> Problem:
    """The problem of a key that the member of a union, `chosen` by its tag, does not have; others may have it."""
    tag = union.discriminator or ""
    having = [other for other in union.members if other.model is not None and inner_slot(other, key) is not None]
    names = [
        shown(name) for other in having if (inner := inner_slot(other, tag)) is not None for name in choices(inner)
    ]
    if not names:
        return unknown_key(member, key, path)
    here = ", ".join(dotted((name,)) for name in allowed_keys(member))
    only = f"only with {dotted((*path, tag))} {' or '.join(names)}"
    return Problem((*path, key), f"{only}, and it is {shown(chosen)}; allowed here: {here}")


def missing_key(slot: Slot | None, key: str, path: KeyPath) -> Problem:
    """The problem of a key that the mapping at `path` lacks; its slot is given if it is known."""
    what = f" ({allowed_for(slot, (': ', ''))})" if slot is not None else ""
    return Problem(path, f"missing key {shown(key)}{what}")


def refused_key(slot: Slot, key: str, path: KeyPath) -> Problem:
    """The problem of a key that the dict of `slot`, at `path`, does not take."""
    expected = allowed_for(slot_of(get_args(slot.annotation)[0]))
    return Problem((*path, key), f"expected {expected} as key, got {shown(key)}")


def wrong_tag(slot: Slot, value: dict[str, Any], path: KeyPath) -> Problem:
    """The problem of a union whose choosing key is missing, or chooses none of its members."""
    key = slot.discriminator or ""
    choices = ", ".join(shown(tag) for tag in tags(slot))
    expected = f"one of {choices}"
    what = next((inner.description for member in slot.members if (inner := inner_slot(member, key))), slot.description)
    if key not in value:
        return Problem(path, f"missing key {shown(key)} ({expected}{': ' if what else ''}{what})")
    got = shown(value[key]) if isinstance(value[key], str) else shown_with_type(value[key])
    return Problem((*path, key), f"expected {expected}{f' ({what})' if what else ''}, got {got}")
