"""Designs of one name that are compared: each has figures of its own, and a name that tells it apart."""

from __future__ import annotations

from dataclasses import replace

from archsim.api import simulate
from archsim.api.compare import compare
from archsim.api.compare_names import names_apart, repeated_note
from archsim.config import parse_override
from archsim.families.load import load_arch
from archsim.workload import load_workload


def test_one_machine_at_two_technologies() -> None:
    archs = [load_arch("tiny_2x2", [parse_override(f"technology=node_{node}nm")]) for node in (45, 7)]
    found = compare(archs, ["lstm_3_2_t4"])
    [difference] = found.machines
    names = ["tiny_2x2 (technology=node_45nm)", "tiny_2x2 (technology=node_7nm)"]
    assert difference.values == dict(zip(names, ("node_45nm", "node_7nm"), strict=True))
    assert [row.arch for row in found.rows] == names
    energies = [simulate(arch, "lstm_3_2_t4", timing_only=True).stats.energy for arch in archs]
    assert [row.energy_uj for row in found.rows] == [energy.total_uj for energy in energies if energy is not None]


def test_one_workload_with_two_lengths() -> None:
    """Each row is of its own: 4 steps of 35 cycles more in the second."""
    works = [load_workload("lstm_3_2_t4", [parse_override(f"steps={steps}")]) for steps in (4, 8)]
    rows = compare(["tiny_2x2"], works).rows
    assert [row.workload for row in rows] == ["lstm_3_2_t4 (steps=4)", "lstm_3_2_t4 (steps=8)"]
    first, second = (row.latency_cycles or 0 for row in rows)
    assert second - first == 4 * 35


def test_what_is_the_same_has_one_name_and_others_are_numbered() -> None:
    one = load_arch("tiny_2x2")
    other = replace(load_arch("edge_16x16"), name="tiny_2x2")
    assert names_apart([one, one, other, one, other]) == ["tiny_2x2"] * 2 + ["tiny_2x2 #2", "tiny_2x2", "tiny_2x2 #2"]
    assert names_apart(["tiny_2x2", "tiny_2x2"]) == ["tiny_2x2", "tiny_2x2"]


def test_what_was_set_is_said_only_where_it_tells_apart() -> None:
    changed = load_arch("tiny_2x2", [parse_override("mac_array.rows=4")])
    assert names_apart([changed]) == ["tiny_2x2"]
    assert names_apart([changed, load_arch("edge_16x16")]) == ["tiny_2x2", "edge_16x16"]
    assert names_apart([changed, changed]) == ["tiny_2x2"] * 2
    assert names_apart([changed, load_arch("tiny_2x2")]) == ["tiny_2x2 (mac_array.rows=4)", "tiny_2x2"]


def test_what_is_given_twice_is_said_once() -> None:
    assert repeated_note(["a", "b", "a", "c", "c", "a"]).startswith("given more than once: a, c; what is set is set in")
    assert repeated_note(["a", "b"]) == ""
