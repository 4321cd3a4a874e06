"""Where a machine's technology is looked for, and how many bits its weights have."""

from __future__ import annotations

from pathlib import Path

import pytest

from archsim.config import parse_override
from archsim.families.load import load_arch


@pytest.mark.parametrize(
    ("named", "set_here", "found"),
    [
        ("node_45nm", (), "node_45nm"),
        ("mine.yaml", (), "/machines/mine.yaml"),
        ("below/mine.yaml", ("clock_mhz",), "/machines/below/mine.yaml"),
        ("mine.yaml", ("technology",), "mine.yaml"),
        ("/elsewhere/mine.yaml", (), "/elsewhere/mine.yaml"),
    ],
)
def test_a_technologys_file_lies_beside_the_machines(named: str, set_here: tuple[str, ...], found: str) -> None:
    """A preset's name is no file, and what --set names lies in the current folder."""
    config = load_arch("tpu_v1").config.model_copy(update={"technology": named})
    costing = config.with_files_from(Path("/machines"), set_here).costing
    assert costing is not None
    assert costing.technology == found


def test_bits_of_a_matrix() -> None:
    """3 x 5 weights of 8 bits, and of 16."""
    assert load_arch("tpu_v1").config.weight_bits(3, 5) == 120
    assert load_arch("tpu_v1", [parse_override("formats.weight=int16")]).config.weight_bits(3, 5) == 240
