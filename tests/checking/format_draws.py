"""Random number formats in which all arithmetic is exact, methods of the activation unit, and cases with them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from archsim.formats import Fixed, parse_format
from archsim.formats.config import MAX_ASYMMETRIC_BITS
from archsim.formats.scaling import Method
from archsim.hardware.functions.approximation_range import CURVED
from archsim.workload import NetworkSpec
from tests.strategies import AMPLE, Case, cases, sparse, unit_options, with_little_sram

ROUNDINGS = ("even", "half_up", "truncate", "gemmlowp")

_rounding = st.sampled_from(("", *(f"/{name}" for name in ROUNDINGS)))
_range = st.sampled_from(("", "", "/wrap"))
widths = st.sampled_from((2, 3, 5, 8, 8, 8, 12, 16, 16, 16, 24, 31, 32)) | st.integers(2, 32)
accumulator_widths = st.sampled_from((8, 12, 16, 20, 24, 32, 32, 32, 40, 48)) | st.integers(8, 48)


@st.composite
def fixed(draw: st.DrawFn, of: st.SearchStrategy[int] = widths) -> str:
    """qM.N, mostly with few integer bits, so that there is something to round."""
    bits = draw(of)
    integer = min(bits, draw(st.sampled_from((1, 1, 2, 3, 4, 5, 8)) | st.integers(1, bits)))
    return f"q{integer}.{bits - integer}" + draw(_rounding) + draw(_range)


@st.composite
def scaled(draw: st.DrawFn, kind: str, of: st.SearchStrategy[int] = widths) -> str:
    """intN with every option that the kind can have."""
    bits = draw(of)
    name = f"int{bits}"
    if kind == "weight":
        name += draw(st.sampled_from(("", "/gate", "/row")))
    if kind in ("input", "hidden") and bits <= MAX_ASYMMETRIC_BITS:
        name += draw(st.sampled_from(("", "/asymmetric")))
    if kind != "accumulator":
        name += draw(st.sampled_from(("", "", "/power_of_two")))
    return name + draw(_rounding) + draw(_range)


@st.composite
def exact_formats(draw: st.DrawFn) -> dict[str, str]:
    """A format for each kind, all of them q or int: each kind on its own, but for what the accumulator needs."""
    found = {}
    all_fixed = draw(st.booleans())
    for kind in ("weight", "input", "hidden"):
        found[kind] = draw(fixed()) if all_fixed or draw(st.booleans()) else draw(scaled(kind))
    if all_fixed and draw(st.booleans()):
        found["hidden"] = found["input"]  # one accumulation
    vectors_fixed = all(name.startswith("q") for name in found.values())
    fixed_accumulator = vectors_fixed and draw(st.booleans())
    found["accumulator"] = draw(
        fixed(accumulator_widths) if fixed_accumulator else scaled("accumulator", accumulator_widths)
    )
    for kind in ("gate", "activation", "cell"):
        found[kind] = draw(fixed()) if draw(st.booleans()) else draw(scaled(kind))
    return found


def spans(largest_power: int) -> st.SearchStrategy[float]:
    """R of a table or of lines."""
    return st.integers(-4, largest_power).map(lambda power: 2.0**power)


@st.composite
def address_formats(draw: st.DrawFn, finest: int = 24) -> str:
    """The q format in which a table or lines see their argument."""
    integer, fraction = draw(st.integers(1, 8)), draw(st.sampled_from((1, 3, 5, 8, 10, 12, 16, 24)))
    return f"q{integer}.{min(fraction, finest)}" + draw(_rounding) + draw(_range)


@st.composite
def activation_units(draw: st.DrawFn, spec: NetworkSpec, gate: str) -> dict[str, Any]:
    """A method, with its parameters, that can do the network's functions."""
    functions = {function.name for cell in spec.cells for function in cell.functions}
    hard = () if (functions & CURVED) - {"sigmoid", "tanh"} else ("hard",)
    method = draw(st.sampled_from(("exact", "exact", *hard, "table", "table", "piecewise_linear")))
    found: dict[str, Any] = {"activation.method": method}
    if method in ("exact", "hard"):
        return found
    if not isinstance(parse_format(gate), Fixed) or draw(st.booleans()):
        found["activation.address_format"] = draw(address_formats())
    if method == "table":
        found["activation.table"] = {
            "entries": 2 ** draw(st.integers(1, 10)),
            "span": draw(spans(6)),
            "interpolation": draw(st.sampled_from(("nearest", "linear"))),
        }
    else:
        found["activation.piecewise_linear"] = {
            "segments": draw(st.integers(2, 24)),
            "span": draw(spans(4)),
            "coefficient_bits": draw(st.sampled_from((4, 8, 12, 16, 32)) | st.integers(4, 32)),
        }
    return found


@st.composite
def calibrations(draw: st.DrawFn) -> dict[str, Any]:
    """How ranges are chosen: a low percentile makes values overflow."""
    method = draw(st.sampled_from(("max", "max", "percentile")))
    weight_method = draw(st.sampled_from(("max", "max", "percentile")))
    return {
        "method": Method(method),
        "weight_method": Method(weight_method),
        "percentile": draw(st.sampled_from((60.0, 90.0, 99.9))),
    }


@st.composite  # type: ignore[arg-type]
def exact_cases(draw: st.DrawFn, **options: Any) -> Case:
    """Any machine, network and schedule, with any formats in which all arithmetic is exact."""
    case = draw(sparse(draw(unit_options(draw(cases(**options))))))
    formats = draw(exact_formats())
    changes = draw(activation_units(case.spec, formats["gate"]))
    return in_formats(case, formats, changes).with_network(calibration=draw(calibrations()))


floats = st.sampled_from(("float32", "float16", "bfloat16"))
blocks = st.builds(lambda bits, size: f"bfp{bits}/block{size}", st.integers(2, 24), st.sampled_from((2, 3, 8, 16)))
some_integers = st.sampled_from(("q3.5", "q1.15/truncate", "int8", "int12/half_up"))


@st.composite
def float_formats(draw: st.DrawFn) -> dict[str, str]:
    """Floating-point accumulators, and anything else in any format that it can have."""
    found = {kind: draw(floats | blocks | some_integers) for kind in ("weight", "input", "hidden")}
    found["accumulator"] = draw(floats)
    return found | {kind: draw(floats | some_integers) for kind in ("gate", "activation", "cell")}


def in_formats(case: Case, formats: dict[str, str], changes: dict[str, Any] | None = None) -> Case:
    """The case in other formats and with other changes, its memories ample; too small if the schedule streams."""
    ample = {f"{memory}.capacity_bytes": AMPLE for memory in case.memories}
    found = case.with_fields({"formats": formats} | ample | (changes or {}))
    if "streamed" not in case.schedule:
        return found
    return with_little_sram(found, case.config.weight_sram.stream_slots % 4 / 4)
