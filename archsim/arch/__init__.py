"""The description of a machine, and the units built from it."""

from archsim.arch.config import ArchConfig
from archsim.arch.families import FAMILIES, build_units
from archsim.arch.load import Arch, load_arch
from archsim.arch.machine import MachineConfig, Multipliers

__all__ = [
    "FAMILIES",
    "Arch",
    "ArchConfig",
    "MachineConfig",
    "Multipliers",
    "build_units",
    "load_arch",
]
