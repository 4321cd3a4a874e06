"""Checks whether the activation unit can do what a network asks of it."""

from __future__ import annotations

from archsim.errors import ArchError, Fault
from archsim.families.cells.activation import ActivationConfig
from archsim.formats import Formats, IntegerFormat
from archsim.hardware.functions.method_registry import make_method
from archsim.workload.network import CellKind, NetworkSpec


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
        _check_normalization(unit, formats)
    if unit.adds_bias:
        for cell in spec.cells:
            reset = cell.kind is CellKind.GRU and cell.linear_before_reset
            if cell.bias and (cell.peepholes or reset):
                before = "a GRU resets its candidate's product" if reset else "peepholes are added"
                message = f"a bias in front of the function comes too late here: {before} before it"
                raise ArchError((Fault("architecture", "activation.adds_bias", message),))


def _check_normalization(unit: ActivationConfig, formats: Formats) -> None:
    """Raise ArchError if the machine's sums are no real numbers, or get their bias after they are normalized."""
    for kind in ("gate", "accumulator"):
        found = formats.format(kind)
        if isinstance(found, IntegerFormat):
            message = f"layer normalization is computed in floating point alone, not in {found} (formats=float32)"
            raise ArchError((Fault("architecture", f"formats.{kind}", message),))
    if unit.adds_bias:
        message = "layer normalization adds the bias itself, in the element-wise unit"
        raise ArchError((Fault("architecture", "activation.adds_bias", message),))
