"""The widths and constants of a machine's RTL, from its formats, sizes and latencies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import frexp

from archsim.families.gemv.config import GemvConfig
from archsim.families.gemv.rtl.ratio import MODES
from archsim.families.gemv.rtl.scope import METHODS
from archsim.formats import Fixed, IntegerFormat
from archsim.hardware.functions.methods import address_format


def integer_format(config: GemvConfig, kind: str) -> IntegerFormat:
    """The format of a kind of data, which is an integer's."""
    found = config.formats.format(kind)
    assert isinstance(found, IntegerFormat)
    return found


@dataclass(frozen=True, slots=True)
class TableShape:
    """A table's arithmetic on addresses: units of its last place or of the step, whichever is smaller."""

    finer: int
    rest_bits: int
    span: int
    beyond: int
    offset_bits: int


def table_shape(config: GemvConfig, address: Fixed) -> TableShape:
    """The shape of a machine's table."""
    table = config.activation.table
    span, step = _log2(table.span), _log2(2 * table.span / table.entries)
    unit = min(-address.fraction_bits, step)
    finer = -address.fraction_bits - unit
    places = 1 << (span - unit)
    bits = max(address.bits + finer, places.bit_length() + 2) + 2
    return TableShape(finer, step - unit, places, max(1, places >> finer), bits)


def address_of(config: GemvConfig) -> Fixed:
    """The format in which tables and lines see their argument."""
    return address_format(config.activation, config.formats)


def format_constants(config: GemvConfig, *, scratch_is_gate: bool) -> Mapping[str, int]:
    """The widths, rounding modes and wraps (bool) by the names that the modules know them by."""
    bits = {name: integer_format(config, kind).bits for name, kind in _WIDTHS.items()}
    bits["XB"] = max(bits["XB"], bits["HB"])  # x of a further layer is the h of the one before
    bits["KB"] = bits["GB"] if scratch_is_gate else bits["FB"]
    address = address_of(config)
    accumulator, gate = integer_format(config, "accumulator"), integer_format(config, "gate")
    activation, hidden, cell = (integer_format(config, kind) for kind in ("activation", "hidden", "cell"))
    shift = 0
    if isinstance(accumulator, Fixed):
        weight, vector = integer_format(config, "weight"), integer_format(config, "hidden")
        assert isinstance(weight, Fixed)
        assert isinstance(vector, Fixed)
        shift = weight.fraction_bits + vector.fraction_bits - accumulator.fraction_bits
    return {
        **bits,
        "SVB": max(bits["GB"], bits["CB"], bits["KB"]),
        "TVB": max(bits["FB"], bits["HB"]),
        "EVB": max(bits["CB"], bits["KB"], bits["GB"], bits["HB"], bits["FB"]),
        "EWB": max(bits["CB"], bits["HB"], bits["GB"]),
        "DVB": max(bits["XB"], bits["HB"], bits["CB"]),
        "AB": address.bits,
        "ACC_SHIFT": shift,
        "ACC_ROUNDING": MODES[accumulator.rounding],
        "GATE_ROUNDING": MODES[gate.rounding],
        "ADDRESS_ROUNDING": MODES[address.rounding],
        "ACC_WRAP": accumulator.wraps,
        "GATE_WRAP": gate.wraps,
        "ACTIVATION_WRAP": activation.wraps,
        "HIDDEN_WRAP": hidden.wraps,
        "CELL_WRAP": cell.wraps,
        "ADDRESS_WRAP": address.wraps,
        "METHOD": METHODS.index(config.activation.method.name),
    }


_WIDTHS = {
    "WB": "weight",
    "XB": "input",
    "HB": "hidden",
    "ACB": "accumulator",
    "GB": "gate",
    "FB": "activation",
    "CB": "cell",
}


def _log2(power: float) -> int:
    return frexp(power)[1] - 1
