"""Builds the units of a machine whose vector units stand in a chain from its description."""

from __future__ import annotations

from typing import Any

from archsim.families.npu.config import MFU0_ADD, MFU0_MULTIPLY, MFU1_ADD, MFU1_MULTIPLY, NpuConfig
from archsim.families.npu.evrf import Evrf
from archsim.families.npu.loader import Loader, WriteBackPath
from archsim.families.npu.mfu import Mfu0, Mfu1
from archsim.families.npu.mvu import Mvu
from archsim.hardware.unit import Unit

NPU_KINDS: tuple[type[Unit[Any]], ...] = (Mvu, Evrf, Mfu0, Mfu1, Loader, WriteBackPath)
"""Every kind of unit of the family."""


def npu_units(config: NpuConfig) -> tuple[Unit[Any], ...]:
    """The units of a machine of the family npu, in the order of a chain."""
    formats, words, ahead = config.formats, config.words, config.mfu.read_latency_cycles
    registers = dict.fromkeys((MFU0_ADD, MFU0_MULTIPLY, MFU1_ADD, MFU1_MULTIPLY), ahead)
    return (
        Mvu(config.mvu, formats, words),
        Evrf(config.evrf, formats, words),
        Mfu0(config.mfu, formats, words),
        Mfu1(config.mfu, formats, words),
        Loader(config.loader, formats, words),
        WriteBackPath(config.loader, formats, words, registers),
    )
