"""Samplers by hand: in which order a grid is taken, how large rounds are, and what is drawn how often."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import chain

import numpy as np
import pytest

from archsim.explore import Space
from archsim.explore.search import samplers
from archsim.explore.search.nsga2 import Genes, Nsga2, Parents, fronts, room
from archsim.explore.search.optuna_sampler import OptunaSampler
from archsim.explore.search.samplers import Grid, Random, Rounds, Sampler, Sobol, Told, make_sampler
from tests.explore.conftest import Write
from tests.optional import need
from tests.rings import exhaustive


def rounds(sampler: Sampler) -> list[list[int]]:
    """All rounds of a sampler that ends."""
    found = []
    while numbers := sampler.ask():
        found.append(numbers)
    return found


def test_rounds_grow_by_four_and_without_pruning_at_once() -> None:
    pruned, whole = Rounds(True), Rounds(False)
    assert [pruned.next() for _ in range(5)] == [256, 1024, 4096, 16384, 16384]
    assert [whole.next() for _ in range(3)] == [256, 16384, 16384]


def test_a_grid_is_taken_in_steps_of_the_golden_ratio(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 48 points 0.618 are 29.7, so 30; 31 is the next number without a factor in common with 48."""
    monkeypatch.setattr(samplers, "ROUND", 4)
    found = rounds(Grid(Space.load(write()), True))
    assert found[0] == [0, 31, 62 - 48, 93 - 48]
    assert found[1][:2] == [4 * 31 - 96, 5 * 31 - 144]
    assert list(map(len, found)) == [4, 16, 28]
    assert sorted([*chain(*found)]) == list(range(48))


def test_a_grid_of_one_point(write: Write) -> None:
    one = write(
        ("mac_array.rows: {log2: {from: 2, to: 16}}", "mac_array.rows: [2]"),
        ("mac_array.columns: {linear: {from: 1, to: 5, step: 2}}", "mac_array.columns: [1]"),
        ("[fused, split]", "[fused]"),
        ("[256, 2KiB]", "[2KiB]"),
    )
    assert rounds(Grid(Space.load(one), True)) == [[0]]


@pytest.mark.parametrize(("permuted", "repeats"), [(47, True), (48, False)])
def test_points_are_drawn_uniformly(
    write: Write, monkeypatch: pytest.MonkeyPatch, permuted: int, repeats: bool
) -> None:
    """48 points in a random order, none twice; or of a larger space, each by itself: of 4,800 some 100 each."""
    monkeypatch.setattr(samplers, "_PERMUTED", permuted)
    monkeypatch.setattr(samplers, "ROUND", 4800 if repeats else 4)
    sampler = Random(Space.load(write()), True)
    assert sampler.repeats is repeats
    if repeats:
        counts = Counter(sampler.ask())
        assert set(counts) == set(range(48))
        assert 50 < min(counts.values()) <= max(counts.values()) < 150
        return
    found = rounds(sampler)
    assert list(map(len, found)) == [4, 16, 28]
    assert sorted([*chain(*found)]) == list(range(48))
    assert [*chain(*found)] != list(range(48))


@exhaustive
def test_a_sobol_sequence_has_each_value_as_often(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its first 64 points, scrambled, have as many in each of 2 ** k equal parts of an axis; a third of them in each of
    three parts, but for one."""
    need("scipy")
    monkeypatch.setattr(samplers, "ROUND", 64)
    space = Space.load(write())
    places = np.array([np.unravel_index(number, space.sizes) for number in Sobol(space, True).ask()])
    assert len(places) == 64
    for axis, size in enumerate(space.sizes):
        counts = np.bincount(places[:, axis], minlength=size).tolist()
        assert counts == [64 // size] * size if size != 3 else max(abs(count - 64 / 3) for count in counts) < 1


@exhaustive
def test_each_name_is_a_sampler_of_its_own(write: Write) -> None:
    need("scipy")
    need("optuna")
    for name, kind in {
        "grid": Grid, "random": Random, "sobol": Sobol, "nsga2": Nsga2, "nsga3": OptunaSampler, "tpe": OptunaSampler,
    }.items():  # fmt: skip
        space = Space.load(write(("objectives:\n", f"sampler: {name}\nbudget: 9\nobjectives:\n"), name=name))
        sampler = make_sampler(space, False)
        assert type(sampler) is kind
        assert sampler.repeats is (name not in ("grid", "random"))


class Pairs:
    """Stands for a random generator: these are drawn for a tournament."""

    def __init__(self, *pairs: tuple[int, int]) -> None:
        self.pairs = pairs

    def integers(self, low: int, high: int, shape: tuple[int, int]) -> Genes:
        assert (low, shape) == (0, (2, len(self.pairs)))
        assert all(0 <= place < high for pair in self.pairs for place in pair)
        return np.array(self.pairs).T


def test_a_tournament_is_won_by_front_and_then_by_room() -> None:
    """Values (0, 8), (1, 4), (8, 0) are on the first front, the middle one with room 2; (9, 9) is on the second."""
    values = np.array([[0, 8], [1, 4], [8, 0], [9, 9]], np.float64)
    genes = np.arange(4).reshape(4, 1)
    parents = Parents.none(1, 2).followed_by(genes, values, np.zeros(4), 4)
    order = parents.genes[:, 0].tolist()
    assert order == [0, 2, 1, 3], "of the front those with most room first, equal ones as they came"
    assert parents.rank.tolist() == [0, 0, 0, 1]
    assert parents.crowding.tolist()[2] == (8 - 0) / 8 + (8 - 0) / 8
    pairs = Pairs((2, 3), (3, 2), (0, 2), (2, 0), (0, 1), (1, 0))
    won = parents.tournament(pairs, 6)  # type: ignore[arg-type]
    assert won.tolist() == [2, 2, 0, 0, 0, 1]


def test_of_the_last_front_those_with_most_room_stay() -> None:
    """Four places on a front of (0, 10), (1, 9), (2, 8), (6, 3), (10, 0): the least room has (1, 9).

    Room of (1, 9): 2 / 10 + 2 / 10; of (2, 8): 5 / 10 + 6 / 10; of (6, 3): 8 / 10 + 8 / 10.
    """
    values = np.array([[1, 9], [0, 10], [2, 8], [6, 3], [10, 0]], np.float64)
    assert room(values, np.zeros(5, np.int64)).tolist() == pytest.approx([0.4, np.inf, 1.1, 1.6, np.inf])
    two = Parents.none(1, 2).followed_by(np.array([[0], [1]]), values[:2], np.zeros(2), 4)
    assert len(two.genes) == 2
    best = two.followed_by(np.array([[2], [3], [4]]), values[2:], np.zeros(3), 4)
    assert best.genes[:, 0].tolist() == [1, 4, 3, 2]
    assert best.values.tolist() == values[[1, 4, 3, 2]].tolist()


def test_the_less_violated_are_the_better_parents() -> None:
    """Whatever their values; a point without violation is better than any other."""
    values = np.array([[1.0], [2.0], [9.0]])
    best = Parents.none(1, 1).followed_by(np.array([[0], [1], [2]]), values, np.array([3.0, 1.0, 0.0]), 2)
    assert best.genes[:, 0].tolist() == [2, 1]
    assert best.violation.tolist() == [0, 1]
    assert fronts(values, np.array([1.0, 3.0, 0.0]), 3).tolist() == [1, 2, 0]
    assert fronts(values, np.array([3.0, 3.0, 0.0]), 3).tolist() == [1, 1, 0], "equally far, whatever the values"


def test_one_gene_a_child_mutates_half_of_the_time_to_a_neighbour(write: Write) -> None:
    """Parents that are all alike, at places (1, 1, 0, 0) of (4, 3, 2, 2) values: a child differs by mutation alone.

    Each of four genes mutates in a quarter of the children. Rows, numbers: half of them to a neighbour, 0 or 2, half to
    any of four: 3 comes with 1 / 8 of the mutations, 0 and 2 with 3 / 8 each, 1 again with 1 / 8. The schedule, a word:
    the other one with 1 / 2. The capacity, a number at its end: a neighbour that is not there is drawn from both, so 1
    comes with (1 / 4) + (3 / 4) / 2 = 5 / 8.
    """
    text = "sampler: nsga2\nbudget: 100\npopulation: 10000\nobjectives:\n"
    space = Space.load(write(("objectives:\n", text)))
    sampler, count = Nsga2(space), 10_000
    genes = np.tile([1, 1, 0, 0], (count, 1))
    sampler._parents = Parents.none(4, 2).followed_by(genes[:2], np.ones((2, 2)), np.zeros(2), 2)
    children = sampler._crossed()
    assert children.shape == genes.shape
    shares = [np.bincount(children[:, axis], minlength=size) / count for axis, size in enumerate(space.sizes)]
    for share, expected in zip(
        shares,
        (
            [3 / 32, 3 / 4 + 1 / 32, 3 / 32, 1 / 32],
            [1 / 4 * (1 / 4 + 1 / 6), 3 / 4 + 1 / 4 / 6, 1 / 4 * (1 / 4 + 1 / 6)],
            [7 / 8, 1 / 8],
            [1 - 5 / 32, 5 / 32],
        ),
        strict=True,
    ):
        assert share.tolist() == pytest.approx(expected, abs=0.015)


def test_rounds_are_full_until_a_small_space_ends(write: Write) -> None:
    """48 points, 9 a round: when children are no new ones, others take their places."""
    space = Space.load(write(("objectives:\n", "sampler: nsga2\nbudget: 48\npopulation: 9\nobjectives:\n")))
    sampler, sizes = Nsga2(space), []
    while numbers := sampler.ask():
        sizes.append(len(numbers))
        sampler.tell([Told(number, (1.0, 1.0), 0.0) for number in numbers])
    assert sizes == [9, 9, 9, 9, 9, 3]


def test_nine_of_ten_children_have_two_parents(write: Write) -> None:
    """Two parents that are as good as each other, with places 10 and 20 of 1,000 everywhere, and children of 8 genes.

    Mother and father are two in half of the draws, 0.9 of these are mixed, and of a mixed child a gene is the mother's
    with (7 / 8) / 2, since an eighth mutates: that all 8 lack one of the two has 2 x (1 - 7 / 16) ** 8.
    """
    text = "sampler: nsga2\nbudget: 100\npopulation: 10000\nobjectives:\n"
    numbers = "dram.latency_cycles: {linear: {from: 1, to: 1000, step: 1}}"
    space = Space.load(write(("objectives:\n", text), ("schedule: [fused, split]", numbers)))
    sampler = Nsga2(replace(space, parameters=(space.parameters[2],) * 8))
    genes = np.array([[10] * 8, [20] * 8])
    sampler._parents = Parents.none(8, 2).followed_by(genes, np.array([[0.0, 1.0], [1.0, 0.0]]), np.zeros(2), 2)
    children = sampler._crossed()
    mixed = (children == 10).any(axis=1) & (children == 20).any(axis=1)
    assert mixed.mean() == pytest.approx(0.9 / 2 * (1 - 2 * (1 - 7 / 16) ** 8), abs=0.02)
