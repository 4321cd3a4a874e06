"""The whole flow in one function: a reader starts at `simulate`."""

from archsim.api.simulate import Simulation, simulate
from archsim.checking.validation import Check, Validation

__all__ = ["Check", "Simulation", "Validation", "simulate"]
