"""What every unit says of its ports unless it says otherwise: banks, streams, port cycles and names, by hand."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from typing import Any

import pytest

from archsim.errors import SimulatorBug
from archsim.formats import Formats
from archsim.hardware.numerics import Kernel, Numerics
from archsim.hardware.operators import Tally
from archsim.hardware.port_streams import Ports, Run, Stream
from archsim.hardware.unit import PortUse, Service, Unit, UnitConfig, Work, by_name, ceil_div
from archsim.program.ir import Buffer, DataKind, Op, Region
from tests.laws.generic_ops import Mix, Words


class Nothing(UnitConfig):
    """A section without fields."""


class Lanes(Unit[Nothing]):
    """Two values of the results a cycle, visible 3 cycles later."""

    name = "lanes"
    summary = "for tests"
    item_name = "value"

    def compute_cycles(self, op: Op) -> int:
        return max(1, ceil_div(sum(region.values for region in op.writes), 2))

    def depth_cycles(self, op: Op) -> int:
        return 3

    def work(self, op: Op) -> Work:
        return Work(sum(region.values for region in op.writes), Fraction(2))

    def kernel(self, op: Op, numerics: Numerics) -> Kernel:
        return Kernel(lambda operands: tuple(operands))


class Paced(Lanes):
    """As that, but a value of `b` a cycle, and its operand of `c` through a port of its own."""

    def values_per_step(self, op: Op, region: Region) -> int | None:
        return 1 if region.buffer.memory == "b" else None

    def read_ports(self, op: Op) -> tuple[Region, ...]:
        return tuple(region for region in op.reads if region.buffer.memory != "c")


class Other(Lanes):
    name = "other"


def region(memory: str, values: int, bank: str = "") -> Region:
    """Values of 64 bits."""
    return Region(Buffer(f"{memory} {bank}", memory, DataKind.H, values, 1, Words(), bank=bank), 0, values)


def unit(kind: type[Lanes] = Lanes, /, **widths: int | None) -> Lanes:
    return kind(Nothing(), {"a": None, "b": None, "c": None, **widths}, Formats.model_validate("float32"))


def op(reads: list[Region], writes: list[Region]) -> Mix:
    return Mix(unit="lanes", label="op", inputs=tuple(reads), outputs=tuple(writes))


WORK = op([region("a", 4), region("b", 6)], [region("c", 8)])
"""8 results in 4 cycles, from 4 and 6 values."""


def test_operands_and_results_are_spread_over_all_cycles() -> None:
    assert unit().read_streams(WORK) == (
        Stream(("a",), 256, (Run(0, 4, 1, steps=4),)),
        Stream(("b",), 384, (Run(0, 6, 2, steps=4),)),
    )
    assert unit().write_streams(WORK) == (Stream(("c",), 512, (Run(0, 8, 2, steps=4),)),)
    assert unit(Paced).read_streams(WORK)[1] == Stream(("b",), 384, (Run(0, 6, 1),))


def test_an_operand_with_a_port_of_its_own_holds_nobody_up() -> None:
    both = op([region("a", 4), region("c", 400)], [region("b", 2)])
    assert [stream.memory for stream in unit(Paced).read_streams(both)] == ["a"]
    assert [stream.memory for stream in unit().read_streams(both)] == ["a", "c"]


@pytest.mark.parametrize(
    ("widths", "service"),
    [
        ({}, Service(4, 0, 3, write_cycles=0)),
        ({"a": 64}, Service(4, 4, 3, write_cycles=0)),  # a word a cycle
        ({"a": 32}, Service(4, 8, 3, write_cycles=0)),
        ({"c": 128}, Service(4, 4, 3, write_cycles=4)),
        ({"c": 64}, Service(4, 8, 3, write_cycles=8)),
        ({"a": 32, "b": 32}, Service(4, 12, 3, write_cycles=0)),  # the busiest port: 6 values of two words
    ],
)
def test_what_ports_make_of_an_op(widths: dict[str, int], service: Service) -> None:
    assert unit(Lanes, **widths).cycles(WORK) == service


def test_ports_that_all_share_are_booked_one_by_one() -> None:
    """Of a, b and c, the two that have a width and that the op uses; nothing of what is shared is its own write."""
    of = unit(a=64, c=128)
    assert of.write_cycles(WORK) == 4
    assert of.write_cycles(WORK, ["c"]) == 0
    assert of.write_cycles(WORK, ["a"]) == 4
    assert of.port_uses(WORK, ["c", "b", "a"]) == (
        PortUse("a", 4, 0, (4, 3, 2, 1)),  # a word in each of 4 cycles
        PortUse("c", 0, 4),
    )
    assert of.port_uses(WORK, ["b"]) == ()
    assert unit(b=64).port_uses(WORK, ["a", "b", "c"]) == (PortUse("b", 6, 0, (4, 4, 3, 2, 2, 1)),)
    assert of.port_uses(op([region("b", 1)], [region("b", 1)]), ["a", "c"]) == ()
    nothing = region("a", 0)
    assert of.port_uses(op([nothing], [region("b", 1)]), ["a"]) == ()
    assert of.port_uses(op([nothing, region("a", 2)], [region("b", 2)]), ["a"]) == (PortUse("a", 2, 0, (1, 1)),)


def test_a_memory_with_banks_has_one_for_each_kind_of_data() -> None:
    banked = Lanes(Nothing(), Ports({"a": 64, "b": 64}, ["a"]), Formats.model_validate("float32"))
    assert banked.bank(region("a", 1, "h")) == ("a", "h")
    assert banked.bank(region("b", 1, "h")) == ("b",)
    two = op([region("a", 4, "h"), region("a", 4, "c")], [region("b", 2)])
    assert (banked.port_cycles(two), unit(a=64).port_cycles(two)) == (4, 8)


def test_units_say_the_same_if_all_that_they_follow_from_is_the_same() -> None:
    formats = Formats.model_validate("float32")
    one = Lanes(Nothing(), {"a": 64}, formats)
    assert one.identity == Lanes(Nothing(), {"a": 8}, formats).identity, "but for the widths that they ask for"
    others = (
        Paced(Nothing(), {"a": 64}, formats),
        Lanes(Nothing(), {"a": 64}, Formats.model_validate("float16")),
        Lanes(Nothing(), Ports({"a": 64}, ["a"]), formats),
    )
    assert all(other.identity != one.identity for other in others)
    noting, ports = one.with_noted_ports()
    assert ports.asked == {}
    assert noting.port_uses(WORK, ["a"]) == one.port_uses(WORK, ["a"])
    assert ports.asked == {"a": 64}


def test_several_units_of_a_kind_are_numbered() -> None:
    units: list[Unit[Any]] = [unit(), Other(Nothing(), {}, Formats.model_validate("float32")), unit(), unit()]
    found = by_name(units)
    assert list(found) == ["lanes", "other", "lanes_1", "lanes_2"]
    assert list(found.values()) == units


def test_what_a_unit_does_not_say() -> None:
    plain = unit()
    assert (plain.static, plain.recorded, plain.moves(WORK), plain.joining(WORK, Numerics())) == (
        True,
        True,
        False,
        None,
    )
    assert (plain.first_cycles(WORK), plain.has_energy_model) == (1, False)
    assert plain.moved_bits(region("a", 3)) == 192
    assert plain.parts(WORK, WORK.reads[0]) == (WORK.reads[0],)
    for ask in (plain.inventory, lambda: plain.tally(WORK), lambda: plain.session([])):
        with pytest.raises(SimulatorBug):
            ask()
    assert str(plain.refuse(WORK)) == "lanes got an op it does not know: Mix 'op'"


def test_half_of_a_model_of_energy_is_none() -> None:
    """What its ops switch, and what it is built of: both or nothing."""

    class Switching(Lanes):
        def tally(self, op: Op) -> Tally:
            return Counter()

    class Built(Lanes):
        def inventory(self) -> Tally:
            return Counter()

    class Priced(Switching, Built):
        pass

    assert [unit(kind).has_energy_model for kind in (Switching, Built, Priced)] == [False, False, True]
