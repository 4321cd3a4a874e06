"""What a machine's description says where its family says nothing: no limit, no least, nothing skipped."""

from __future__ import annotations

import pytest

from archsim.families.load import load_arch
from archsim.families.machine_config import DramWidth
from archsim.workload import load_workload

MACHINES = ("tpu_v1", "edgedrnn", "elasticai_lstm", "ethos_u55_128")


@pytest.mark.parametrize("name", MACHINES)
def test_nothing_is_claimed_that_a_family_does_not_say(name: str) -> None:
    """Bounds that are not known are 0, so that no design is left out for them."""
    arch, spec = load_arch(name), load_workload("lstm:3,4,t=2").spec
    config = arch.config
    assert config.least_load_cycles(spec) == 0
    assert config.least_energy_uj(spec, arch.prices) == 0.0
    assert config.weight_bits_per_cycle is None
    assert config.x_inputs_per_chunk is None
    assert config.single_ported == ()
    assert (config.skips_chunks, config.missing_for_deltas, config.resets_before_product) == (False, "", False)
    assert config.notes(spec) == ()
    assert config.late_bias is (name == "elasticai_lstm"), "its biases come behind the cut of the sums"


def test_how_wide_dram_is() -> None:
    """An LSTM in block RAM has none, and flash is none; others say how many bytes a second they take."""
    widths = {name: load_arch(name).config.dram_width for name in MACHINES}
    assert widths["elasticai_lstm"] == widths["ethos_u55_128"] == DramWidth(0, 0.0)
    assert widths["edgedrnn"] == DramWidth(0, 1.0)
    assert widths["tpu_v1"].channels == 0
    assert widths["tpu_v1"].gb_per_s == pytest.approx(34)
