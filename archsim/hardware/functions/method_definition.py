"""What an activation method is to archsim: its name, how it is made, and what judges its numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from archsim.formats import Formats

if TYPE_CHECKING:
    from archsim.hardware.functions.function_config import FunctionConfig
    from archsim.hardware.functions.methods import Method

MakeMethod = Callable[["FunctionConfig", Formats], "Method"]
"""From the unit's section and the machine's formats; ValueError says what of them the method cannot do with."""

MakeReference = Callable[["FunctionConfig", Formats], object]
"""The archsim.golden.integer_functions.Method that computes the same on codes, in code of its own.

Typed as an object, because the machine knows nothing of the golden model; archsim.checking looks at what it gets.
"""


@dataclass(frozen=True, slots=True)
class MethodDefinition:
    """An activation method as an architecture names it.

    `exact`: it evaluates each function itself, about as exactly as float32 holds it (within a few units of its last
    place below 1), so that with float32 alone the golden model judges a run. `integer_reference`: None if the method
    has none; then no run on integers is judged. Those of archsim's own methods are in
    archsim/checking/integer_methods.py.
    """

    name: str
    summary: str
    make: MakeMethod
    exact: bool = False
    integer_reference: MakeReference | None = None

    def __str__(self) -> str:
        return self.name
