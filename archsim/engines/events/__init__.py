"""Executes a program in simulated time."""

from archsim.engines.events.machine import execute
from archsim.engines.events.options import Arithmetic, Jitter, MachineSpec, Options

__all__ = ["Arithmetic", "Jitter", "MachineSpec", "Options", "execute"]
