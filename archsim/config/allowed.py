"""Says in words what a slot allows, from its type, bounds and choices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from archsim.config.slots import Slot, choices, field_slots, inner_slot, is_list, is_mapping
from archsim.config.text import dotted, shown

_NOUNS = {int: "an integer", float: "a number", str: "a string", bool: "true or false", Any: "any value"}


@dataclass(frozen=True, slots=True)
class Wording:
    """How messages name a type; put into its `Annotated`: `noun`, then the bounds, then `unit` and `hint`."""

    noun: str
    unit: str = ""
    hint: str = ""


def allowed(slot: Slot) -> str:
    """The words for what may stand in `slot`, e.g. "an integer from 1 to 1,048,576" or "one of 'int8', 'float32'"."""
    text = _allowed_value(slot)
    return f"{text}, or null" if slot.nullable else text


def allowed_for(slot: Slot, separator: tuple[str, str] = (" (", ")")) -> str:
    """The words for what may stand in `slot`, together with what it is for."""
    before, after = separator
    return allowed(slot) + (f"{before}{slot.description}{after}" if slot.description else "")


def allowed_keys(slot: Slot) -> tuple[str, ...]:
    """The keys of the mapping that `slot` expects, sorted; () when they are free."""
    return tuple(sorted(field_slots(slot.model))) if slot.model is not None else ()


def _allowed_value(slot: Slot) -> str:
    if slot.members:
        return _union(slot)
    values = choices(slot)
    if values:
        return shown(values[0]) if len(values) == 1 else "one of " + ", ".join(shown(value) for value in values)
    wording = next((item for item in slot.metadata if isinstance(item, Wording)), None)
    if is_mapping(slot) and wording is None:
        return _mapping(slot)
    if is_list(slot):
        return _list(slot)
    noun = wording.noun if wording else _NOUNS.get(slot.annotation, "a value")
    parts = [noun, _bounds(slot), wording.unit if wording else ""]
    hint = f", {wording.hint}" if wording and wording.hint else ""
    return " ".join(part for part in parts if part) + hint


def _union(slot: Slot) -> str:
    key = slot.discriminator
    if key is None:
        return " or ".join(dict.fromkeys(allowed(member) for member in slot.members))
    return f"a mapping with the key {shown(key)} ({', '.join(shown(tag) for tag in tags(slot))})"


def tags(slot: Slot) -> tuple[Any, ...]:
    """The values that the discriminator of a union may have, in the order of its members."""
    found: list[Any] = []
    for member in slot.members:
        inner = inner_slot(member, slot.discriminator or "")
        found.extend(tags(member) if member.members else choices(inner) if inner is not None else ())
    return tuple(dict.fromkeys(found))


def _mapping(slot: Slot) -> str:
    if slot.model is not None:
        keys = ", ".join(dotted((key,)) for key in allowed_keys(slot))
        return f"a mapping with keys among {keys}" if keys else "an empty mapping"
    inner = inner_slot(slot, "")
    return "a mapping" if inner is None else f"a mapping, each value {allowed(inner)}"


def _list(slot: Slot) -> str:
    arguments = get_args(slot.annotation)
    if get_origin(slot.annotation) is tuple and Ellipsis not in arguments:
        return f"a list of {len(arguments)} elements"
    inner = inner_slot(slot, 0)
    text = f"a list {_bounds(slot)}".rstrip()
    return text if inner is None else f"{text}, each element {allowed(inner)}"


def _bounds(slot: Slot) -> str:
    least, above = _tightest(slot, "ge", max), _tightest(slot, "gt", max)
    most, below = _tightest(slot, "le", min), _tightest(slot, "lt", min)
    parts: list[str] = []
    if least is not None and (above is None or least > above):
        parts.append(f"from {_number(least)}" if most is not None else f"of at least {_number(least)}")
    elif above is not None:
        parts.append(f"above {_number(above)}")
    if most is not None and (below is None or most < below):
        word = "to" if parts and parts[0].startswith("from") else "and at most" if parts else "of at most"
        parts.append(f"{word} {_number(most)}")
    elif below is not None:
        parts.append(f"{'and ' if parts else ''}below {_number(below)}")
    multiple = _tightest(slot, "multiple_of", max)
    if multiple is not None:
        parts.append(f"that is a multiple of {_number(multiple)}")
    what = "elements" if is_list(slot) else "characters"
    shortest, longest = _tightest(slot, "min_length", max) or 0, _tightest(slot, "max_length", min)
    if longest is not None:
        parts.append(f"of {_number(shortest)} to {_number(longest)} {what}")
    elif shortest:
        parts.append(f"of at least {_number(shortest)} {what if shortest > 1 else what[:-1]}")
    pattern = next((item.pattern for item in slot.metadata if getattr(item, "pattern", None)), None)
    if pattern is not None:
        parts.append(f"matching {shown(getattr(pattern, 'pattern', pattern))}")
    return " ".join(parts)


def _tightest(slot: Slot, bound: str, choose: Callable[[list[float]], float]) -> float | None:
    found = [getattr(item, bound, None) for item in slot.metadata]
    known = [value for value in found if value is not None]
    return choose(known) if known else None


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"
