"""The fields of a technology and of a machine's section `energy_model`: their ends, equal values, what is left out."""

from __future__ import annotations

import json
from math import exp
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from archsim.technology.beside import DEVICES, DeviceLeakage, DramPower, Leakage, Overhead
from archsim.technology.conditions import ALL_COUNTED, USUAL, Conditions, Counted, EnergyModel
from archsim.technology.config import OperatorPoint, OperatorTable, RegisterBit, SramGrids, SramTable, Technology
from archsim.technology.load import load_technology
from archsim.technology.spread import SURE, Range, Scale, Spread, spread_of, sum_of

POINT = {"bits": 8, "energy_pj": 1.0, "area_um2": 1.0}
LEAKS: dict[str, Any] = {
    "source": "s",
    "temperature_k": 300.0,
    "device": "low_power",
    "gated_share": 0.5,
    "devices": [{"name": name, "factor": 1.0, "per_kelvin": 0.0} for name in DEVICES],
}


def made(model: type[BaseModel], **fields: Any) -> Any:
    return model.model_validate_json(json.dumps(fields))


@pytest.mark.parametrize(
    ("model", "base", "field", "allowed", "not_allowed"),
    [
        (OperatorPoint, POINT, "bits", [1, 64], [0, 65]),
        (Spread, {"high": 1}, "low", [1e-9, 1], [0, 1.001]),
        (Spread, {"low": 1}, "high", [1, 100], [0.999, 100.1]),
        (Spread, {"low": 1, "high": 1}, "source", ["s", "s" * 1200], ["", "s" * 1201]),
        (Overhead, {"source": "s", "low": 0, "high": 10}, "factor", [0, 10], [-0.001, 10.001]),
        (Overhead, {"source": "s", "factor": 10, "high": 10}, "low", [0, 10], [-0.001, 10.001]),
        (Overhead, {"source": "s", "low": 0, "factor": 0}, "high", [0, 10], [-0.001, 10.001]),
        (DeviceLeakage, {"name": "low_power", "factor": 1}, "per_kelvin", [0, 0.2], [-0.001, 0.2001]),
        (Leakage, LEAKS, "temperature_k", [230, 450], [229.9, 450.1]),
        (Leakage, LEAKS, "gated_share", [0, 1], [-0.001, 1.001]),
        (EnergyModel, {}, "voltage_v", [0.3, 1.5, None], [0.299, 1.501]),
        (EnergyModel, {}, "temperature_k", [230, 450, None], [229.9, 450.1]),
    ],
)
def test_the_ends_of_a_field(
    model: type[BaseModel], base: dict[str, Any], field: str, allowed: list[Any], not_allowed: list[Any]
) -> None:
    """The least and the largest value are taken, the next ones beyond are not."""
    for value in allowed:
        assert getattr(made(model, **(base | {field: value})), field) == value
    for value in not_allowed:
        with pytest.raises(ValidationError, match=field):
            made(model, **(base | {field: value}))


def operators(*points: tuple[int, float, float]) -> OperatorTable:
    names = ("bits", "energy_pj", "area_um2")
    found: OperatorTable = made(
        OperatorTable, source="s", points=[dict(zip(names, point, strict=True)) for point in points]
    )
    return found


def test_operators_of_more_bits_cost_no_less() -> None:
    """The same is allowed, less is not; neither are the same bits twice, one point alone, or more than 16."""
    assert operators((8, 1, 2), (16, 1, 2)).points[1].energy_pj == 1
    for points, said in (
        ([(8, 1, 2), (16, 0.9, 2)], "energy_pj falls from 1 to 0.9"),
        ([(8, 1, 2), (16, 1, 1.9)], "area_um2 falls from 2 to 1.9"),
        ([(8, 1, 2), (8, 1, 2)], "bits must rise"),
        ([(16, 1, 2), (8, 1, 2)], "bits must rise"),
        ([(8, 1, 2)], "bits: two or more are needed"),
    ):
        with pytest.raises(ValidationError, match=said):
            operators(*points)
    assert len(operators(*((bits, 1, 1) for bits in range(1, 17))).points) == 16
    with pytest.raises(ValidationError, match="at most 16 items"):
        operators(*((bits, 1, 1) for bits in range(1, 18)))


def grids(rows: int, columns: int, **others: list[list[float]]) -> dict[str, Any]:
    return {name: [[1.0] * columns] * rows for name in SramGrids.model_fields} | others


def srams(words: int, widths: int, **ports: dict[str, Any]) -> SramTable:
    plain = {"single_port": grids(words, widths), "dual_port": grids(words, widths)} | ports
    axes = {"words": list(range(1, words + 1)), "width_bits": list(range(1, widths + 1))}
    found: SramTable = made(SramTable, source="s", **axes, **plain)
    return found


def test_srams_cost_no_less_with_more_words_or_bits() -> None:
    """The same is allowed; less is not, in any row, column, quantity or kind of port. Axes have 2 to 32 places."""
    assert len(srams(2, 3).words) == 2
    assert len(srams(32, 2).words) == len(srams(2, 32).width_bits) == 32
    for words, widths in ((33, 2), (2, 33)):
        with pytest.raises(ValidationError, match="at most 32 items"):
            srams(words, widths)
    for words, widths, axis in ((1, 2, "words"), (2, 1, "width_bits")):
        with pytest.raises(ValidationError, match=f"{axis}: two or more are needed"):
            srams(words, widths)
    for ports in ("single_port", "dual_port"):
        for quantity in SramGrids.model_fields:
            for rows in ([[2, 2, 2], [2, 2, 1]], [[2, 2, 2], [1, 2, 2]], [[2, 1, 1], [2, 2, 2]]):
                with pytest.raises(ValidationError, match=rf"{ports}\.{quantity} falls from 2 to 1"):
                    srams(2, 3, **{ports: grids(2, 3, **{quantity: [[float(n) for n in row] for row in rows]})})
            for shape in ((3, 3), (1, 3), (2, 2), (2, 4)):
                with pytest.raises(ValidationError, match=rf"{ports}\.{quantity} must have 2 rows .* of 3 numbers"):
                    srams(2, 3, **{ports: grids(2, 3, **{quantity: [[1.0] * shape[1]] * shape[0]})})


def test_kinds_of_transistors() -> None:
    """All of them, in order; one may leak as much as the one before, not less."""
    devices = LEAKS["devices"]
    assert made(Leakage, **LEAKS).devices[2].factor == 1.0
    for wrong, said in (
        (devices[:2], "devices must be low_standby, low_power, high_performance, in this order"),
        ([devices[1], devices[0], devices[2]], "in this order"),
        ([*devices[:2], devices[2] | {"factor": 0.9}], "factor must not fall"),
        ([devices[0] | {"factor": 1.1}, *devices[1:]], "factor must not fall"),
    ):
        with pytest.raises(ValidationError, match=said):
            made(Leakage, **(LEAKS | {"devices": wrong}))


@pytest.mark.parametrize("model", [Scale, Overhead])
def test_low_factor_and_high_are_in_order(model: type[BaseModel]) -> None:
    """All three may be the same number."""
    assert made(model, source="s", low=2, factor=2, high=2).factor == 2
    for low, factor, high in ((2.1, 2, 3), (1, 2, 1.9)):
        with pytest.raises(ValidationError, match="low <= factor <= high is needed"):
            made(model, source="s", low=low, factor=factor, high=high)


def test_what_is_left_out() -> None:
    """Everything is counted, DRAM stands by, no bank is gated, and conditions are the technology's."""
    model = EnergyModel()
    assert model.conditions == USUAL == Conditions(None, None, None)
    assert model.counted == ALL_COUNTED
    everything = Counted(
        wires=True, clock=True, control=True, layout=True, phy=True, dram_idle="standby", gating="none"
    )
    assert everything == ALL_COUNTED
    switched = {"wires": False, "control": False, "phy": False, "dram_idle": "off", "gating": "unused_banks"}
    other = made(EnergyModel, device="high_performance", temperature_k=310, voltage_v=0.9, **switched)
    assert other.conditions == Conditions("high_performance", 310, 0.9)
    assert other.counted == Counted(wires=False, control=False, phy=False, dram_idle="off", gating="unused_banks")
    assert made(EnergyModel, clock=False, layout=False).counted == Counted(clock=False, layout=False)
    assert RegisterBit(source="s", energy_pj=1.0, area_um2=1.0).energy_spread == Spread(low=1.0, high=1.0) == SURE
    power = dict.fromkeys(("active_mw", "standby_mw", "power_down_mw", "self_refresh_mw", "refresh_mw"), 1.0)
    assert made(DramPower, source="s", **power).spread == SURE


def test_the_chain_and_the_types_of_dram() -> None:
    """A chain's name has up to 200 characters, or none; there are 1 to 32 types of DRAM, each of a name of its own."""
    plain = load_technology("node_45nm").model_dump(mode="json")
    drams = [plain["dram"][0] | {"name": f"d{number}"} for number in range(33)]
    assert made(Technology, **(plain | {"chain": "c" * 200, "dram": drams[:32]})).dram[31].name == "d31"
    assert len(made(Technology, **(plain | {"dram": drams[:1]})).dram) == 1
    assert made(Technology, **{name: value for name, value in plain.items() if name != "chain"}).chain == ""
    for changed, said in (
        ({"chain": "c" * 201}, "at most 200 characters"),
        ({"dram": drams}, "at most 32 items"),
        ({"dram": []}, "dram: one type or more is needed"),
        ({"dram": [drams[0], drams[1], drams[0]]}, "dram: names are given twice .d0, d1, d0."),
    ):
        with pytest.raises(ValidationError, match=said):
            made(Technology, **(plain | changed))


def test_ranges_by_hand() -> None:
    """4 with a spread of 0.5 to 3 lies from 2 to 12; each of the three numbers is multiplied and added by itself."""
    found = spread_of(4.0, Spread(low=0.5, high=3.0))
    assert found.each == (4.0, 2.0, 12.0)
    assert Range().each == (0.0, 0.0, 0.0)
    other = Range(10.0, 7.0, 11.0)
    assert found.times(5.0).each == (20.0, 10.0, 60.0)
    assert found.plus(other).each == (14.0, 9.0, 23.0)
    assert found.by(other).each == (40.0, 14.0, 132.0)
    assert sum_of([found, other, other]).each == (24.0, 16.0, 34.0)
    assert sum_of([]) == Range()


def test_the_spread_of_a_product() -> None:
    """A factor of 0.5 between 0.25 and 0.6 has half and 1.2 times as its ends: 0.8 and 2 become 0.4 and 2.4."""
    scale = Scale(source="b", factor=0.5, low=0.25, high=0.6)
    found = Spread(low=0.8, high=2.0, source="a").scaled(scale)
    assert (found.low, found.high) == pytest.approx((0.4, 2.4))
    assert found.source == "a; b"
    assert len(Spread(low=1.0, high=1.0, source="a" * 1199).scaled(scale).source) == 1200


def test_factors_of_conditions_by_hand() -> None:
    """Tables of 45 nm are for 0.9 V. At 0.6 V what switches takes (2/3)^2, and what leaks 2/3 of it.

    A device of three times the usual factor leaks three times as much, and 10 K more make exp(10 * its growth) of it,
    10 K less the inverse.
    """
    base = load_technology("node_45nm")
    growth = {"low_standby": 0.01, "low_power": 0.02, "high_performance": 0.03}
    factors = {"low_standby": 0.5, "low_power": 2.0, "high_performance": 6.0}
    devices = tuple(
        found.model_copy(update={"factor": factors[found.name], "per_kelvin": growth[found.name]})
        for found in base.leakage.devices
    )
    leakage = base.leakage.model_copy(update={"devices": devices, "device": "low_power", "temperature_k": 350.0})
    node = base.model_copy(update={"leakage": leakage, "voltage_v": 0.9})
    assert (USUAL.energy_factor(node), USUAL.leakage_factor(node)) == (1.0, 1.0)
    low = Conditions(voltage_v=0.6)
    assert (low.energy_factor(node), low.leakage_factor(node)) == pytest.approx((4 / 9, 2 / 3))
    for conditions, factor in (
        (Conditions("high_performance"), 3.0),
        (Conditions("low_standby"), 0.25),
        (Conditions(temperature_k=360.0), exp(0.2)),
        (Conditions(temperature_k=340.0), exp(-0.2)),
        (Conditions("high_performance", 360.0, 0.6), 3 * exp(0.3) * 2 / 3),
    ):
        assert conditions.leakage_factor(node) == pytest.approx(factor), conditions
