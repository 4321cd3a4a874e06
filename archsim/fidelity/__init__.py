"""Machines that exist, their published figures, and what the simulator gives for them."""

from __future__ import annotations

from archsim.fidelity.brainwave import brainwave
from archsim.fidelity.edgedrnn import edgedrnn
from archsim.fidelity.elasticai import elasticai
from archsim.fidelity.ethosu import ethosu
from archsim.fidelity.koios import koios
from archsim.fidelity.npu import npu
from archsim.fidelity.row import Row
from archsim.fidelity.tpu import tpu

__all__ = ["Row", "all_rows"]


def all_rows() -> tuple[Row, ...]:
    """Every published figure beside what is simulated now; takes some seconds."""
    return (*koios(), *edgedrnn(), *npu(), *elasticai(), *ethosu(), *tpu(), *brainwave())
