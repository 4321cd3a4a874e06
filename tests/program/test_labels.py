"""Labels of ops, taken apart: layer, name and place."""

from __future__ import annotations

import pytest

from archsim.api import simulate
from archsim.families.load import load_arch
from archsim.program.labels import Label, label_parts
from archsim.workload import load_workload


@pytest.mark.parametrize(
    ("label", "parts"),
    [
        ("mac[3]", Label(0, "mac", "3")),
        ("mac[3.0]", Label(0, "mac", "3.0")),
        ("l1.mac[3.0]", Label(1, "mac", "3.0")),
        ("l1r.mac[3.0]", Label(1, "mac", "3.0")),
        ("l12.load x+1", Label(12, "load x", "")),
        ("load W_ih[0]", Label(0, "load W_ih", "0")),
        ("layer.mac", Label(0, "layer.mac", "")),
        ("a[b", Label(0, "a[b", "")),
    ],
)
def test_parts(label: str, parts: Label) -> None:
    assert label_parts(label) == parts


def test_all_cells_of_a_bidirectional_network_have_the_same_names() -> None:
    run = simulate(load_arch("tiny_2x2"), load_workload("lstm:3,5,t=2,layers=2,bidirectional=1"), timing_only=True)
    ops = run.ops()
    both = [{name for name, its in zip(ops["name"], ops["layer"], strict=True) if its == layer} for layer in (0, 1)]
    assert "mac" in both[0] & both[1]
    assert not any("." in name for names in both for name in names)
