"""Says what of a run the integer reference knows: formats, ops, and for each activation method its own one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from archsim.config.extensions import METHODS as GROUP
from archsim.config.text import one_line
from archsim.errors import ArchsimError, ExtensionError, SimulatorBug
from archsim.families.machine_config import MachineConfig
from archsim.families.registry import family_of
from archsim.formats import KINDS, Encoding, Fixed, IntegerFormat, NumberFormat, Scaled
from archsim.golden.gemmlowp import Gemmlowp
from archsim.golden.integer import Grid
from archsim.golden.integer_functions import Exact, Lines, Method, Table
from archsim.hardware.functions.approximation_range import CURVED
from archsim.hardware.functions.method_definition import MethodDefinition
from archsim.hardware.functions.method_registry import EXACT, GEMMLOWP, HARD, PIECEWISE_LINEAR, TABLE
from archsim.hardware.functions.methods import address_format
from archsim.hardware.functions.piecewise import PiecewiseMethod
from archsim.program.ir import Program
from archsim.workload.network import FunctionSpec, NetworkSpec

MakeOwn = Callable[[MachineConfig, NetworkSpec], Method]
"""From a machine and the network whose functions it evaluates."""


def unknown_to_the_reference(arch: MachineConfig, spec: NetworkSpec) -> str:
    """What of a machine on integers the reference does not know, in words; "" if it knows all that there is."""
    method = arch.function_unit.method
    formats: list[NumberFormat] = [arch.formats.format(kind) for kind in KINDS]
    address = arch.function_unit.address_format
    strange = [found for found in (*formats, *([] if address is None else [address])) if not _known(found)]
    if strange:
        names = ", ".join(dict.fromkeys(found.name for found in strange))
        return f"the number format{'s' if ',' in names else ''} {names}"
    if method not in _OWN and method.integer_reference is None:
        return f"the activation method {method}"
    functions = integer_method(arch, spec).functions
    unknown = () if functions is None else sorted({found.name for found in _curved(spec)} - functions)
    return f"{', '.join(unknown)} by the activation method {method}" if unknown else ""


def unknown_ops(program: Program, arch: MachineConfig) -> str:
    """The kinds of op in a program whose arithmetic the reference does not know, in words; "" if it knows them all."""
    known = family_of(arch).reference_ops
    kinds = dict.fromkeys(type(op) for phase in program.phases for op in phase.ops)
    names = [kind.__qualname__ for kind in kinds if kind not in known]
    return f"the op{'s' if len(names) > 1 else ''} {', '.join(names)}" if names else ""


def integer_method(arch: MachineConfig, spec: NetworkSpec) -> Method:
    """The reference's method for the machine's one: archsim's own, or that of the method's definition."""
    method = arch.function_unit.method
    if method in _OWN:
        return _OWN[method](arch, spec)
    if method.integer_reference is None:
        raise SimulatorBug(f"the activation method {method} has no integer reference")
    try:
        made = method.integer_reference(arch.function_unit, arch.formats)
    except ArchsimError:
        raise
    except Exception as error:  # whatever the other package does
        what = one_line(f"{type(error).__name__}: {error}")
        raise ExtensionError(f"{GROUP}: {method}: its integer reference cannot be made: {what}") from error
    if not isinstance(made, Method):
        raise ExtensionError(
            f"{GROUP}: {method}: its integer reference is a {type(made).__name__}, which is no "
            "archsim.golden.integer_functions.Method"
        )
    return made


def grid_of(encoding: Encoding) -> Grid:
    """The golden model's words for a format of integers and its scale."""
    number_format, scale = encoding.format, encoding.scale
    if not isinstance(number_format, IntegerFormat):
        raise SimulatorBug(f"{number_format} has no integer reference")
    return Grid(
        bits=number_format.bits,
        scale=scale if isinstance(scale, float) else scale[:, 0],
        zero=encoding.zero,
        rounding=number_format.rounding.value,
        wrap=number_format.wraps,
        fixed=isinstance(number_format, Fixed),
    )


def address_grid(address: Fixed) -> Grid:
    """The grid of an address format."""
    return grid_of(Encoding(address, address.scale))


def _known(number_format: NumberFormat) -> bool:
    """Whether the reference has its arithmetic; a class that another package derives may round in its own way."""
    return type(number_format) in (Fixed, Scaled)


def _exact(arch: MachineConfig, spec: NetworkSpec) -> Method:
    return Exact()


def _hard(arch: MachineConfig, spec: NetworkSpec) -> Method:
    return Exact(hard=True)


def _table(arch: MachineConfig, spec: NetworkSpec) -> Method:
    config = arch.function_unit.table
    address = address_format(arch.function_unit, arch.formats)
    return Table(config.entries, config.span, config.interpolation == "linear", address_grid(address))


def _gemmlowp(arch: MachineConfig, spec: NetworkSpec) -> Method:
    return Gemmlowp()


def _lines(arch: MachineConfig, spec: NetworkSpec) -> Method:
    """The segments are the machine's, as fitted: which lines are best is no question of arithmetic."""
    config = arch.function_unit.piecewise_linear
    address = address_format(arch.function_unit, arch.formats)
    fitted = PiecewiseMethod(config, address)
    lines = {function.name: fitted.lines(function) for function in _curved(spec)}
    segments = {name: (found.breakpoints, found.slopes, found.intercepts) for name, found in lines.items()}
    return Lines(config.span, config.coefficient_bits, address_grid(address), segments)


_OWN: Mapping[MethodDefinition, MakeOwn] = MappingProxyType(
    {EXACT: _exact, HARD: _hard, TABLE: _table, PIECEWISE_LINEAR: _lines, GEMMLOWP: _gemmlowp}
)
"""Those of archsim's own methods, which are here because no unit may know the golden model."""


def _curved(spec: NetworkSpec) -> tuple[FunctionSpec, ...]:
    return tuple(function for cell in spec.cells for function in cell.functions if function.name in CURVED)
