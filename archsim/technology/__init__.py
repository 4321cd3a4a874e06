"""The energy and area that a technology asks for operators and memories."""

from archsim.technology.config import Technology
from archsim.technology.load import load_prices, load_technology
from archsim.technology.prices import MemoryPrice, OperatorPrice, Prices

__all__ = ["MemoryPrice", "OperatorPrice", "Prices", "Technology", "load_prices", "load_technology"]
