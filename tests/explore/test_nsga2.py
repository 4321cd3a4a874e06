"""NSGA-II: fronts and room as they are defined, every point once, and fronts that drawing at random does not find."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.explore import Space
from archsim.explore.search.front import hypervolume
from archsim.explore.search.nsga2 import Nsga2, fronts, room
from archsim.explore.search.samplers import Told, make_sampler
from tests.explore.conftest import Write
from tests.rings import examples

REFERENCE = (31.0, 120.0)

Point = tuple[tuple[int, ...], int]
"""Values and violation of a point."""


def dominates(one: Point, other: Point) -> bool:
    """As Deb et al. define it, section VI.B."""
    if one[1] or other[1]:
        return one[1] < other[1]
    no_worse = all(a <= b for a, b in zip(one[0], other[0], strict=True))
    return no_worse and one[0] != other[0]


points = st.tuples(st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 2)), st.sampled_from([0, 0, 0, 1, 2]))


@settings(max_examples=examples(200))
@given(st.lists(points, min_size=1, max_size=30), st.integers(1, 30))
def test_a_front_is_what_nothing_that_is_left_dominates(drawn: list[Point], enough: int) -> None:
    values, violation = np.array([p[0] for p in drawn], np.float64), np.array([p[1] for p in drawn], np.float64)
    found = fronts(values, violation, enough).tolist()
    left, number = list(range(len(drawn))), 0
    while left and len(drawn) - len(left) < enough:
        front = [i for i in left if not any(dominates(drawn[j], drawn[i]) for j in left)]
        assert [found[i] for i in front] == [number] * len(front)
        left = [i for i in left if i not in front]
        number += 1
    assert [found[i] for i in left] == [number] * len(left)


def test_room_by_hand() -> None:
    """On the first front (0, 8), (1, 4), (4, 2), (8, 0): of (1, 4), (4 - 0) / 8 and (8 - 2) / 8, together 1.25."""
    values = np.array([[1, 4], [8, 0], [0, 8], [4, 2], [9, 9]], np.float64)
    found = room(values, np.array([0, 0, 0, 0, 1]))
    assert found.tolist() == [1.25, math.inf, math.inf, 7 / 8 + 4 / 8, math.inf]


def test_a_front_without_width_has_no_room() -> None:
    assert room(np.array([[1.0], [1.0], [1.0]]), np.zeros(3, np.int64)).tolist() == [math.inf, 0.0, math.inf]


def space_of(write: Write, *, budget: int, population: int, seed: int = 0) -> Space:
    """81,000 points; nothing of it is simulated here."""
    parameters = "\n".join(
        f"  {path}: {{linear: {{from: 1, to: {last}, step: 1}}}}"
        for path, last in {
            "mac_array.rows": 30,
            "mac_array.columns": 30,
            "activation.lanes": 30,
            "elementwise.lanes": 3,
        }.items()
    )
    path = write(
        ("  mac_array.rows: {log2: {from: 2, to: 16}}\n", parameters + "\n"),
        ("  mac_array.columns: {linear: {from: 1, to: 5, step: 2}}\n", ""),
        ("  schedule: [fused, split]\n  weight_sram.capacity_bytes: [256, 2KiB]\n", ""),
        ("objectives:\n", f"sampler: nsga2\nbudget: {budget}\npopulation: {population}\nseed: {seed}\nobjectives:\n"),
    )
    return Space.load(path)


def objectives(space: Space, numbers: Sequence[int]) -> list[tuple[float, float]]:
    """Time and cost of a machine with three parts, of which the smallest binds, and of something that only costs."""
    places = np.stack(np.unravel_index(numbers, space.sizes), axis=1)
    sizes = places[:, :3] + 1
    return list(zip((30 / sizes.min(axis=1)).tolist(), (sizes.sum(axis=1) + 10.0 * places[:, 3]).tolist(), strict=True))


def run(space: Space, budget: int) -> tuple[list[int], float]:
    """The points that are asked for, and the hypervolume of their objectives."""
    sampler, asked = make_sampler(space, False), list[int]()
    assert isinstance(sampler, Nsga2)
    while len(asked) < budget:
        numbers = sampler.ask()
        asked += numbers
        sampler.tell([Told(n, values, 0.0) for n, values in zip(numbers, objectives(space, numbers), strict=True)])
    return asked, hypervolume(np.array(objectives(space, asked)), REFERENCE)


def test_no_point_is_asked_twice_and_a_seed_repeats_itself(write: Write) -> None:
    space = space_of(write, budget=1000, population=50)
    asked, _ = run(space, 1000)
    assert len(set(asked)) == len(asked) == 1000
    assert run(space, 1000)[0] == asked
    assert run(space.with_budget(seed=1), 1000)[0] != asked


@pytest.mark.parametrize("seed", [0, 1])
def test_the_front_is_nearer_than_at_random(write: Write, seed: int) -> None:
    """The whole front are the 30 machines whose parts are equal: time 30 / n, cost 3 n."""
    space = space_of(write, budget=2000, population=100, seed=seed)
    best = hypervolume(np.array([[30 / size, 3 * size] for size in range(1, 31)]), REFERENCE)
    drawn = np.random.default_rng(seed).integers(0, space.size, 2000).tolist()
    at_random = hypervolume(np.array(objectives(space, drawn)), REFERENCE)
    _, found = run(space, 2000)
    assert best - found < 0.5 * (best - at_random)


def test_a_space_that_is_small_is_asked_for_to_its_end(write: Write) -> None:
    space = Space.load(write(("objectives:\n", "sampler: nsga2\nbudget: 40\npopulation: 9\nobjectives:\n")))
    sampler, asked = Nsga2(space), list[int]()
    while numbers := sampler.ask():
        asked += numbers
        sampler.tell([Told(number, (float(number), 1.0), 0.0) for number in numbers])
    assert sorted(asked) == list(range(space.size))


def test_infeasible_points_lead_to_feasible_ones(write: Write) -> None:
    """Feasible is one of 900 places, and the violation the distance to it."""
    space = space_of(write, budget=1000, population=20)
    sampler, asked = Nsga2(space), 0
    while True:
        numbers = sampler.ask()
        asked += len(numbers)
        places = np.stack(np.unravel_index(numbers, space.sizes), axis=1)
        far = (abs(places[:, 0] - 23) + abs(places[:, 1] - 7)).tolist()
        if 0 in far:
            break
        sampler.tell([Told(number, None, float(violation)) for number, violation in zip(numbers, far, strict=True)])
    assert asked <= 300


def test_numbers_beyond_64_bits(write: Write) -> None:
    space = space_of(write, budget=100, population=10)
    large = replace(space, parameters=space.parameters * 5)
    assert large.size > 1 << 63
    sampler = Nsga2(large)
    numbers = sampler.ask()
    assert len(set(numbers)) == 10
    assert all(0 <= number < large.size for number in numbers)
    sampler.tell([Told(number, (1.0, 2.0), 0.0) for number in numbers])
    assert len(sampler.ask()) == 10
