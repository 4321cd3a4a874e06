"""Holds an activation method of another package to what a method promises, at each use."""

from __future__ import annotations

import numpy as np

from archsim.config.extensions import METHODS as GROUP
from archsim.config.text import one_line
from archsim.errors import ArchsimError, ExtensionError
from archsim.formats import Encoding, NumberFormat
from archsim.formats.number import Array, IntegerFormat
from archsim.hardware.constants import FunctionConstants
from archsim.hardware.functions.methods import Evaluator, Method
from archsim.hardware.lane_inventory import LaneInventory
from archsim.hardware.numerics import Overflows
from archsim.workload.network import FunctionSpec


class OutsideMethod(Method):
    """A method of another package: what it raises, and results that are none, are an ExtensionError that names it."""

    def __init__(self, name: str, method: object) -> None:
        """`name`: that of its definition; `method`: what the definition made."""
        self._name = name
        if not isinstance(method, Method):
            raise self._error(f"made a {type(method).__name__}, which is no Method")
        self._method = method
        latency = getattr(method, "latency_cycles", None)
        if not isinstance(latency, int) or isinstance(latency, bool) or latency < 0:
            raise self._error(f"latency_cycles must be a whole number, 0 or more, got {one_line(repr(latency))}")
        self.latency_cycles = latency
        functions: object = method.functions
        if not isinstance(functions, frozenset | set) or not all(isinstance(name, str) for name in functions):
            raise self._error(f"functions must be a frozenset of names, got {one_line(repr(functions))}")
        self.functions = frozenset(functions)

    def resources(self, target: NumberFormat) -> LaneInventory:
        try:
            found = self._method.resources(target)
        except Exception as error:
            raise self._failed("resources", error) from error
        if not isinstance(found, LaneInventory):
            raise self._error(f"resources must return a LaneInventory, got {type(found).__name__}")
        return found

    def curved_constants(self, function: FunctionSpec, source: Encoding, target: Encoding) -> FunctionConstants:
        return self._method.curved_constants(function, source, target)

    def curved(self, function: FunctionSpec, source: Encoding, target: Encoding, overflows: Overflows) -> Evaluator:
        try:
            evaluate = self._method.curved(function, source, target, overflows)
        except Exception as error:
            raise self._failed(f"curved({function.name})", error) from error

        def checked(x: Array) -> tuple[Array, int]:
            try:
                found = evaluate(x)
            except Exception as error:
                raise self._failed(function.name, error) from error
            wrong = _what_is_wrong(found, x.shape, target)
            if wrong:
                raise self._error(f"{function.name} must return stored results and how many overflowed: {wrong}")
            return found

        return checked

    def _failed(self, doing: str, error: Exception) -> Exception:
        """What to raise where the method raised: an error of archsim's own as it is."""
        return error if isinstance(error, ArchsimError) else self._error(f"{doing}: {type(error).__name__}: {error}")

    def _error(self, what: str) -> ExtensionError:
        return ExtensionError(f"{GROUP}: {self._name}: {one_line(what)}")


def _what_is_wrong(found: object, shape: tuple[int, ...], target: Encoding) -> str:
    """Why what an evaluator returned cannot be stored; "" if it can."""
    if not isinstance(found, tuple) or len(found) != 2:
        return f"got {one_line(repr(found))}"
    values, beyond = found
    if not isinstance(values, np.ndarray) or values.shape != shape:
        got = f"shape {values.shape}" if isinstance(values, np.ndarray) else f"a {type(values).__name__}"
        return f"an array of shape {shape}, got {got}"
    if not isinstance(beyond, int | np.integer) or isinstance(beyond, bool) or beyond < 0:
        return f"a whole number of overflows, got {one_line(repr(beyond))}"
    if not isinstance(target.format, IntegerFormat):
        if values.dtype.kind != "f":
            return f"numbers of {target.format}, got {values.dtype}"
        return "a number that is none (NaN)" if np.isnan(values).any() else ""
    if values.dtype.kind != "i":
        return f"codes of {target.format}, got {values.dtype}"
    lowest, highest = target.format.lowest, target.format.highest
    outside = values[(values < lowest) | (values > highest)]
    return f"codes from {lowest:,} to {highest:,}, got {outside[0]:,}" if outside.size else ""
