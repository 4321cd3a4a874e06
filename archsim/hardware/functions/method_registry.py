"""Every activation method, by its name: archsim's own, and those of installed packages."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated

from pydantic_core import PydanticCustomError, PydanticKnownError

from archsim.config.extensions import METHODS as GROUP
from archsim.config.extensions import EntryGroup, named_otherwise, not_text
from archsim.config.slots import Choices
from archsim.config.text import one_line, shown, shown_with_type
from archsim.config.types import NamedOrGiven
from archsim.errors import ArchsimError, ExtensionError
from archsim.formats import Formats
from archsim.hardware.functions.gemmlowp import make_gemmlowp
from archsim.hardware.functions.method_definition import MethodDefinition
from archsim.hardware.functions.methods import Addressed, Exact, Hard, Method, address_format
from archsim.hardware.functions.outside_method import OutsideMethod
from archsim.hardware.functions.piecewise import PiecewiseMethod
from archsim.hardware.functions.polynomial import make_polynomial
from archsim.hardware.functions.table import TableMethod

if TYPE_CHECKING:
    from archsim.hardware.functions.function_config import FunctionConfig


def _exact(config: FunctionConfig, formats: Formats) -> Method:
    return Exact()


def _hard(config: FunctionConfig, formats: Formats) -> Method:
    return Hard()


def _table(config: FunctionConfig, formats: Formats) -> Method:
    address = address_format(config, formats)
    return Addressed(TableMethod(config.table, address), address)


def _piecewise_linear(config: FunctionConfig, formats: Formats) -> Method:
    address = address_format(config, formats)
    return Addressed(PiecewiseMethod(config.piecewise_linear, address), address)


def _polynomial(config: FunctionConfig, formats: Formats) -> Method:
    return make_polynomial(formats)


def _gemmlowp(config: FunctionConfig, formats: Formats) -> Method:
    return make_gemmlowp(formats)


EXACT = MethodDefinition("exact", "the function itself, rounded to the target's format", _exact, exact=True)
HARD = MethodDefinition("hard", "sigmoid and tanh as three straight lines each", _hard)
TABLE = MethodDefinition("table", "a look-up table: the nearest entry, or a line between two", _table)
POLYNOMIAL = MethodDefinition(
    "polynomial", "sigmoid and tanh from cubic pieces in float32, within 2^-23 of the function", _polynomial, exact=True
)
GEMMLOWP = MethodDefinition(
    "gemmlowp", "sigmoid and tanh in 16-bit integers, as TensorFlow Lite's integer LSTM has them", _gemmlowp
)
PIECEWISE_LINEAR = MethodDefinition("piecewise_linear", "fitted line segments", _piecewise_linear)

METHODS: Mapping[str, MethodDefinition] = MappingProxyType(
    {method.name: method for method in (EXACT, POLYNOMIAL, HARD, TABLE, PIECEWISE_LINEAR, GEMMLOWP)}
)
"""The methods that come with archsim."""


def find_method(name: str) -> MethodDefinition | None:
    """The method of that name: one of archsim's own, or one that an installed package offers; None if there is none."""
    return METHODS.get(name) or OFFERED.named(name)


def all_methods() -> Mapping[str, MethodDefinition]:
    """Archsim's own methods, then those that installed packages offer, by name."""
    return MappingProxyType({**METHODS, **_offered()})


def make_method(config: FunctionConfig, formats: Formats) -> Method:
    """The method that a unit evaluates functions with.

    Raises ValueError, which names the method, if it cannot do with the section or the formats.
    """
    definition = config.method
    own = METHODS.get(definition.name) is definition
    try:
        made = definition.make(config, formats)
    except ValueError as error:
        raise ValueError(f"method {definition}: {error}") from error
    except Exception as error:  # whatever another package does
        if isinstance(error, ArchsimError) or own:
            raise
        what = one_line(f"{type(error).__name__}: {error}")
        raise ExtensionError(f"{GROUP}: {definition}: cannot be made: {what}") from error
    return made if own else OutsideMethod(definition.name, made)


def _offered() -> Mapping[str, MethodDefinition]:
    """The methods of other packages, by name."""
    return OFFERED.usable()


def _fault(name: str, method: MethodDefinition) -> str:
    taken = "archsim has a method of that name" if name in METHODS else ""
    named = not_text(method, "name", "summary") or named_otherwise(name, method.name, "method") or taken
    if named:
        return named
    if not callable(method.make):
        return f"make must be a function, got {shown_with_type(method.make)}"
    if method.integer_reference is not None and not callable(method.integer_reference):
        return f"integer_reference must be a function or None, got {shown_with_type(method.integer_reference)}"
    return "" if isinstance(method.exact, bool) else f"exact must be True or False, got {shown_with_type(method.exact)}"


OFFERED = EntryGroup(GROUP, MethodDefinition, _fault)
"""The entries under which packages offer methods."""


def _names() -> tuple[str, ...]:
    return tuple(all_methods())


def check_methods(methods: Sequence[MethodDefinition]) -> tuple[MethodDefinition, ...]:
    """The definitions that a caller gives; ExtensionError for one that is none, or has a name that is taken."""
    for method in methods:
        if not isinstance(method, MethodDefinition):
            raise ExtensionError(f"{GROUP}: expected an instance of MethodDefinition, got {type(method).__name__}")
        fault = _fault(method.name, method)
        if not fault and sum(method.name == other.name for other in methods) > 1:
            fault = "there are several methods of that name"
        if fault:
            raise ExtensionError(f"{GROUP}: {method.name}: {fault}")
    return tuple(methods)


def _method(value: object, given: Sequence[object]) -> MethodDefinition:
    """A method itself, or the one of a name: of those given, or else of those that are registered."""
    if isinstance(value, MethodDefinition):
        return value
    own = {method.name: method for method in given if isinstance(method, MethodDefinition)}
    found = (own.get(value) or find_method(value)) if isinstance(value, str) else None
    if found is not None:
        return found
    close = difflib.get_close_matches(value, (*own, *_names()), n=1) if isinstance(value, str) else []
    if close:
        raise PydanticCustomError("unknown_method", "did you mean {name}?", {"name": shown(close[0])})
    if own:
        raise PydanticCustomError("unknown_method", "given besides: {names}", {"names": ", ".join(map(shown, own))})
    raise PydanticKnownError("enum", {"expected": ", ".join(_names())})


AnyMethod = Annotated[MethodDefinition, NamedOrGiven(_method), Choices(_names)]
"""A field that names a method in files; in Python it may be given as a name or as the method itself."""
