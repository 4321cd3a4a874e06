"""Executes a program in simulated time."""

from archsim.machine.machine import execute
from archsim.machine.options import Arithmetic, Jitter, MachineSpec, Options

__all__ = ["Arithmetic", "Jitter", "MachineSpec", "Options", "execute"]
