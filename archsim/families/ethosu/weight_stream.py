"""How many bytes a matrix of weights takes in flash, if they are drawn evenly from all 8-bit numbers but the least.

Weights stand in the order of their use, in micro-blocks of 8 outputs and 8 inputs, padded with zeros to 8 outputs and
32 inputs. If zeros are much more frequent than any other number, they are left out and the lengths of their runs stand
between the others, in unary behind some plain bits (Golomb-Rice). A matrix of few numbers has a palette.
"""

from __future__ import annotations

from functools import lru_cache
from math import exp, sqrt

import numpy as np

from archsim.families.ethosu.config import EngineConfig, EthosuConfig, WeightStreamConfig
from archsim.hardware.unit import ceil_div

VALUES = 255
"""Numbers that a weight may be, -127 to 127, each as often as the others."""

MOST_OF_NORMAL = 2.8
"""Standard deviations of the most frequent of 254 numbers above the mean, as expected."""

PLAIN_BITS = range(4)
"""Plain bits of a run's length that may be chosen; others than none must save a change of parameters."""

CHANGE_BITS = 40
PALETTE = 32
"""Numbers of a palette, 8 bits each; it is used if it holds more than half of the weights."""


def flash_bytes(outputs: int, inputs: int, config: EthosuConfig) -> int:
    """The bytes of a dot product's biases, scales and weights."""
    stream = config.weight_stream
    channels = _up(outputs * stream.channel_bytes, stream.align_bytes)
    return channels + _weights(outputs, inputs, config.engine, stream)


@lru_cache(maxsize=4096)
def _weights(outputs: int, inputs: int, engine: EngineConfig, stream: WeightStreamConfig) -> int:
    count = outputs * inputs
    padded = _up(outputs, engine.unit_outputs) * _up(inputs, engine.input_block)
    each = count / VALUES
    zeros = padded - count + each
    if zeros > stream.zero_ratio * (each + MOST_OF_NORMAL * sqrt(each)):
        coded = count - each
        bits = _coded_bits(coded, stream.weight_bits) + _run_bits(outputs, inputs, engine)
    else:
        coded = padded
        bits = float(padded * stream.weight_bits)
    slices = max(1, ceil_div(int(coded), stream.slice_weights))
    bits += stream.header_bits + stream.slice_bits * (slices - 1) + stream.end_bits
    return _up(int(bits), 8 * stream.align_bytes) // 8


def _coded_bits(count: float, weight_bits: int) -> float:
    """The bits of weights that are not zero: plain, or by their place in a palette of the most frequent."""
    distinct = (VALUES - 1) * (1 - exp(-count / (VALUES - 1)))
    held = PALETTE + min(count - distinct, PALETTE)
    if held <= count / 2:
        return weight_bits * count
    palette = PALETTE * weight_bits
    if distinct <= PALETTE:
        return palette + 5 * count
    # 6 bits inside of the palette; outside of it 6 and one more for each 32 numbers, 4.5 on average.
    return palette + 6 * held + 10.5 * (count - held)


def _run_bits(outputs: int, inputs: int, engine: EngineConfig) -> int:
    """The bits of the lengths of all runs of padding, one in front of each weight and one at the end."""
    places = _in_order(outputs, inputs, engine)
    runs = np.diff(np.concatenate([[-1], places, [_padded(outputs, inputs, engine)]])) - 1
    costs = {plain: int(((runs >> plain) + 1 + plain).sum()) for plain in PLAIN_BITS}
    best = min(costs, key=lambda plain: costs[plain] + (CHANGE_BITS if plain else 0))
    return costs[best]


def _in_order(outputs: int, inputs: int, engine: EngineConfig) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The places of the weights among all that the stream has, padding included."""
    rows, depth, unit = _up(outputs, engine.unit_outputs), engine.input_block, engine.unit_outputs
    real = np.zeros((rows, _up(inputs, depth)), np.bool_)
    real[:outputs, :inputs] = True
    deep = engine.unit_inputs
    parts = real.reshape(rows // unit, unit, -1, depth // deep, deep)  # micro-blocks of rows, blocks of inputs
    return np.flatnonzero(parts.transpose(2, 0, 3, 1, 4).ravel())


def _padded(outputs: int, inputs: int, engine: EngineConfig) -> int:
    return _up(outputs, engine.unit_outputs) * _up(inputs, engine.input_block)


def _up(amount: int, to: int) -> int:
    return ceil_div(amount, to) * to
