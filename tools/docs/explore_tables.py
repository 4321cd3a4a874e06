"""The tables of docs/explore.md and docs/delta.md: which designs of a front they show, and their rows.

A row is a point of the space, known by its inputs: it can be evaluated again without the exploration that found it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from archsim.explore import Point, Space, Study
from tools.docs import DOCS

PAGE = DOCS / "explore.md"

Rule = Callable[[Study], list[Point]]


@dataclass(frozen=True, slots=True)
class Table:
    """A table of one space: (header, objective or input, digits behind the point) of each column; None is text.

    `page`: where it stands.
    """

    space: str
    columns: tuple[tuple[str, str, int | None], ...]
    shown: Rule
    page: Path = PAGE

    def rows(self, space: Space, points: Sequence[Point]) -> str:
        """The table's lines."""
        names = [objective.name for objective in space.objectives]
        head = "| " + " | ".join(header for header, *_ in self.columns) + " |\n"
        head += "|" + "|".join("---" if digits is None else "---:" for *_, digits in self.columns) + "|\n"
        return head + "".join(f"| {' | '.join(self._cells(names, point))} |\n" for point in points)

    def _cells(self, names: Sequence[str], point: Point) -> Iterator[str]:
        for _, name, digits in self.columns:
            value = _objectives(point)[names.index(name)] if name in names else point.inputs[name]
            yield str(value) if digits is None else f"{value:,.{digits}f}"

    def numbers(self, page: str, space: Space) -> list[int]:
        """The points of the space that the page's rows stand for."""
        found = re.search(rf"<!-- table:{self.space} -->\n(.*?)<!-- end -->", page, re.DOTALL)
        assert found is not None, f"{self.page.name} has no table of {self.space}"
        places = {name: place for place, (_, name, _) in enumerate(self.columns)}
        numbers = []
        for line in found[1].splitlines()[2:]:
            cells = [cell.strip().replace(",", "") for cell in line.strip("|").split("|")]
            wanted = [cells[places[parameter.path]] for parameter in space.parameters]
            choices = [[_same(choice.label) for choice in parameter.choices] for parameter in space.parameters]
            found_places = [of.index(_same(cell)) for of, cell in zip(choices, wanted, strict=True)]
            numbers.append(space.number(tuple(found_places)))
        return numbers


def _same(value: object) -> object:
    """A number, however it is written, or a text."""
    try:
        return float(str(value))
    except ValueError:
        return str(value)


def _objectives(point: Point) -> tuple[float, ...]:
    """What was measured at a point of the front."""
    assert point.objectives is not None
    return point.objectives


def filled(page: str, tables: dict[str, str]) -> str:
    """The page with those tables in place."""
    for name, rows in tables.items():

        def filled_in(found: re.Match[str], rows: str = rows) -> str:
            return found[1] + rows + found[2]

        page, count = re.subn(rf"(<!-- table:{name} -->\n).*?(<!-- end -->)", filled_in, page, flags=re.DOTALL)
        assert count == 1, f"the page has no table of {name}"
    return page


def counted(page: str, space: str, front: int) -> str:
    """The page with the number of designs on a front wherever its prose says it, between two comments."""
    page, count = re.subn(rf"(<!-- front:{space} -->)[\d,]+(<!-- end -->)", rf"\g<1>{front:,}\g<2>", page)
    assert count >= 1, f"the page does not say how many designs are on the front of {space}"
    return page


def multipliers(point: Point) -> int:
    """Size of the array."""
    return int(point.inputs["mac_array.rows"]) * int(point.inputs["mac_array.columns"])


def by_size(study: Study) -> dict[int, list[Point]]:
    """The front by the size of the array, large ones first."""
    found: dict[int, list[Point]] = {}
    for point in sorted(study.pareto(), key=lambda point: (-multipliers(point), point.objectives, point.number)):
        found.setdefault(multipliers(point), []).append(point)
    return found


def smallest_of_the_fast(study: Study) -> list[Point]:
    """Of each size of the array the design of least area that is within 2 % of the fastest."""
    return [
        min(
            (p for p in points if _objectives(p)[0] <= 1.02 * _objectives(points[0])[0]),
            key=lambda p: _objectives(p)[2],
        )
        for points in by_size(study).values()
    ]


def least_edp_and_least_area(study: Study) -> list[Point]:
    """Of each size of the array the design with the least energy times latency, and the smallest."""
    found: list[int] = []
    for points in by_size(study).values():
        ends = [
            min(points, key=lambda p: _objectives(p)[0] * _objectives(p)[1]),
            min(points, key=lambda p: _objectives(p)[2]),
        ]
        found += dict.fromkeys(point.number for point in ends)
    by_number = {point.number: point for point in study.pareto()}
    return [by_number[number] for number in found]


def whole_front(study: Study) -> list[Point]:
    """All of it, the most exact first."""
    return sorted(study.pareto(), key=lambda point: (point.objectives, point.number))


NEAR = 1.05
"""Errors that differ by less are told apart by chance alone."""


def exact_of_each_threshold(study: Study) -> list[Point]:
    """The smallest, most frugal and fastest of the most exact designs on the front of each threshold.

    Objectives are error, latency, energy and area. A threshold below the format's smallest change is no other machine
    than a lower one, and does not stand there again.
    """
    found: list[Point] = []
    seen: set[tuple[float, ...]] = set()
    for threshold in dict.fromkeys(point.inputs["delta"] for point in study.points):
        of_threshold = [point for point in study.points if point.inputs["delta"] == threshold and point.objectives]
        mine = [p for p in study.pareto() if p.inputs["delta"] == threshold and _objectives(p) not in seen]
        seen |= {_objectives(point) for point in of_threshold}
        if mine:
            least = min(_objectives(point)[0] for point in mine)
            exact = [point for point in mine if _objectives(point)[0] <= NEAR * least]
            found += (min(exact, key=lambda p: (_objectives(p)[place], p.number)) for place in (3, 2, 1))
    return list({point.number: point for point in found}.values())


TABLES = (
    Table(
        "edge",
        (
            ("rows", "mac_array.rows", 0),
            ("columns", "mac_array.columns", 0),
            ("formats", "formats", None),
            ("schedule", "schedule", None),
            ("activation lanes", "activation.lanes", 0),
            ("element-wise lanes", "elementwise.lanes", 0),
            ("state port, bits", "state_buffer.port_bits", 0),
            ("time steps, us", "body_us", 2),
            ("energy, uJ", "energy_uj", 1),
            ("area, mm2", "area_mm2", 2),
        ),
        smallest_of_the_fast,
    ),
    Table(
        "cloud",
        (
            ("rows", "mac_array.rows", 0),
            ("columns", "mac_array.columns", 0),
            ("activation lanes", "activation.lanes", 0),
            ("element-wise lanes", "elementwise.lanes", 0),
            ("weight SRAM, bytes", "weight_sram.capacity_bytes", 0),
            ("input port, bits", "input_buffer.port_bits", 0),
            ("state port, bits", "state_buffer.port_bits", 0),
            ("DRAM, bytes a cycle", "dram.bandwidth_bytes_per_cycle", 0),
            ("queue", "sequencer.queue_depth", 0),
            ("schedule", "schedule", None),
            ("latency, us", "latency_us", 1),
            ("energy, uJ", "energy_uj", 0),
            ("area, mm2", "area_mm2", 2),
        ),
        least_edp_and_least_area,
    ),
    Table(
        "formats",
        (
            ("error", "probability_rms_error", 4),
            ("bits", "bits", 0),
            ("time steps, us", "body_us", 2),
            ("weight", "formats.weight", None),
            ("input", "formats.input", None),
            ("hidden", "formats.hidden", None),
            ("cell", "formats.cell", None),
        ),
        whole_front,
    ),
    Table(
        "delta",
        (
            ("θ", "delta", None),
            ("weights", "formats.weight", None),
            ("x and h", "formats.hidden", None),
            ("PEs", "pe_array.pes", 0),
            ("error", "probability_rms_error", 4),
            ("us", "latency_us", 0),
            ("uJ", "energy_uj", 0),
            ("mm2", "area_mm2", 1),
        ),
        exact_of_each_threshold,
        DOCS / "delta.md",
    ),
)
