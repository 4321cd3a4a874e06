"""The functional NumPy model: what an LSTM computes, with no idea of a machine. It shares no code with archsim."""

from archsim.golden.lstm import lstm

__all__ = ["lstm"]
