"""The description of a machine, and the units built from it."""

from archsim.arch.config import Arch, ArchConfig, load_arch
from archsim.arch.datapath import Datapath, build_units

__all__ = ["Arch", "ArchConfig", "Datapath", "build_units", "load_arch"]
