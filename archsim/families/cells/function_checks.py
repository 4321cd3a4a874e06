"""Checks whether the activation unit can do what a network asks of it."""

from __future__ import annotations

from archsim.errors import ArchError, Fault
from archsim.families.cells.activation import ActivationConfig
from archsim.families.cells.normalize_integers import MOST_BITS
from archsim.formats import Formats, IntegerFormat
from archsim.hardware.functions.method_registry import EXACT, POLYNOMIAL, make_method
from archsim.workload.network import CellKind, NetworkSpec

NORMALIZED = ("gate", "accumulator", "cell")
"""The kinds of data whose formats a normalization's operands have: sums, biases, gamma."""


def check_functions(spec: NetworkSpec, unit: ActivationConfig, formats: Formats) -> None:
    """Raise ArchError if the activation unit cannot evaluate a function of the network, or add its bias."""
    functions = frozenset(function.name for cell in spec.cells for function in cell.functions)
    method = make_method(unit, formats)
    wrong = method.unsupported(functions)
    if wrong:
        stands_for = " and ".join(sorted(method.functions))
        message = f"{unit.method} stands for {stands_for}; the workload needs {', '.join(wrong)}"
        raise ArchError((Fault("architecture", "activation.method", message),))
    if any(cell.layer_norm for cell in spec.cells):
        _check_normalization(unit, formats, functions)
    if unit.adds_bias:
        for cell in spec.cells:
            reset = cell.kind is CellKind.GRU and cell.linear_before_reset
            if cell.bias and (cell.peepholes or reset):
                before = "a GRU resets its candidate's product" if reset else "peepholes are added"
                message = f"a bias in front of the function comes too late here: {before} before it"
                raise ArchError((Fault("architecture", "activation.adds_bias", message),))


def _check_normalization(unit: ActivationConfig, formats: Formats, functions: frozenset[str]) -> None:
    """Raise ArchError, with all that has to change, if sums are not normalized in these formats, or get a bias late."""
    kinds = {kind: formats.format(kind) for kind in NORMALIZED}
    integers = [f"formats.{kind} {found}" for kind, found in kinds.items() if isinstance(found, IntegerFormat)]
    wrong, changes = [], list[str]()
    if integers and len(integers) < len(kinds):
        real = [f"formats.{kind} {found}" for kind, found in kinds.items() if not isinstance(found, IntegerFormat)]
        wrong.append(f"takes integers alone or real numbers alone, not {' and '.join(integers)} beside {real[0]}")
        changes += ["formats=float32", *_method_of_floats(unit, functions)]
    elif integers and kinds["gate"].bits > MOST_BITS:
        wrong.append(f"has integer sums of at most {MOST_BITS} bits, not formats.gate {kinds['gate']}")
        changes.append("formats.gate=q4.12")
    where = "formats" if wrong else "activation.adds_bias"
    if unit.adds_bias:
        wrong.append("adds the bias itself, in the element-wise unit, not in front of the function")
        changes.append("activation.adds_bias=false")
    if wrong:
        sets = " ".join(f"--set {change}" for change in changes)
        message = f"layer normalization {' and '.join(wrong)}; what runs it: {sets}"
        raise ArchError((Fault("architecture", where, message),))


def _method_of_floats(unit: ActivationConfig, functions: frozenset[str]) -> list[str]:
    """The setting by which a unit evaluates functions of real numbers; none if it can already, or no method can."""
    real = Formats.model_validate("float32")
    for method in dict.fromkeys((unit.method, POLYNOMIAL, EXACT)):
        try:
            unsupported = make_method(unit.model_copy(update={"method": method}), real).unsupported(functions)
        except ValueError:
            continue
        if not unsupported:
            return [] if method is unit.method else [f"activation.method={method}"]
    return []
