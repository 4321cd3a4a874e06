"""The functional NumPy models: what each recurrent layer computes, with no idea of a machine.

They share no code with the rest of archsim and import nothing but NumPy.
"""

from archsim.golden.functions import Activation, apply
from archsim.golden.gru import GruOptions, GruWeights, gru_direction
from archsim.golden.lstm import LstmOptions, LstmWeights, lstm, lstm_direction
from archsim.golden.rnn import RnnOptions, RnnWeights, rnn_direction
from archsim.golden.stack import Direction, run_direction, run_stack
from archsim.golden.trajectory import DirectionTrace, Traces, trace_direction, trace_stack

__all__ = [
    "Activation",
    "Direction",
    "DirectionTrace",
    "GruOptions",
    "GruWeights",
    "LstmOptions",
    "LstmWeights",
    "RnnOptions",
    "RnnWeights",
    "Traces",
    "apply",
    "gru_direction",
    "lstm",
    "lstm_direction",
    "rnn_direction",
    "run_direction",
    "run_stack",
    "trace_direction",
    "trace_stack",
]
