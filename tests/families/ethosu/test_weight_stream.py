"""What matrices of weights take in flash, bit by bit: in single bytes instead of 16 at a time little is rounded off."""

from __future__ import annotations

import pytest

from archsim.config import parse_override
from archsim.families.ethosu.config import EngineConfig, EthosuConfig
from archsim.families.ethosu.weight_stream import _in_order, flash_bytes
from archsim.families.load import load_arch


def config(*overrides: str) -> EthosuConfig:
    found = load_arch("ethos_u55_128", [parse_override(text) for text in overrides]).config
    assert isinstance(found, EthosuConfig)
    return found


FINE = "weight_stream.align_bytes=1"


def test_headers_of_slices() -> None:
    """8 x 32: 256 weights of 8 bits, 36 bits of header, 3 at the end: 2,087, 261 bytes; and 80 of biases and scales.

    In slices of at most 256 weights it is one; of at most 255 two, whose header has 23 bits: 2,110, 264 bytes; of 100
    three: 2,133, 267 bytes.
    """
    assert flash_bytes(8, 32, config(FINE)) == 80 + 261
    for most, weights in ((256, 261), (255, 264), (100, 267)):
        assert flash_bytes(8, 32, config(FINE, f"weight_stream.slice_weights={most}")) == 80 + weights


def test_both_parts_are_padded() -> None:
    """8 x 32: 261 bytes of weights are 272. Of 9 outputs 90 bytes of biases and scales are 96, of a byte each 16."""
    assert flash_bytes(8, 32, config()) == 80 + 272
    assert flash_bytes(9, 32, config()) - flash_bytes(9, 32, config("weight_stream.channel_bytes=1")) == 96 - 16


def test_runs_with_plain_bits() -> None:
    """8 x 1: one weight of each 8 places of the first micro-block; runs of 0, seven times 7, and 199 behind the last.

    With k plain bits floor(run / 2^k) + 1 + k: k = 0: 1 + 56 + 200 = 257; k = 1: 2 + 35 + 101; k = 2: 3 + 28 + 52;
    k = 3: 4 + 28 + 28 = 60, which saves more than the 40 bits of a change of parameters. 8 - 8 / 255 weights are no
    zero, 7.8 different ones: a palette of 256 bits, 5 each: 39.8. Together 295.8 + 60 + 39: 394 bits, 50 bytes.
    """
    assert flash_bytes(8, 1, config(FINE)) == 80 + 50


def test_runs_without_plain_bits_unless_they_save_a_change() -> None:
    """8 x 9: a full micro-block of 64, then one weight of each 8 places: 65 runs of 0, seven of 7, 135 at the end.

    k = 0: 65 + 56 + 136 = 257. k = 1: 130 + 35 + 69 = 234, 23 less, and not 40. Of 71.72 that are no zero 62.48
    differ: the palette holds 32 + 9.24 with 6 bits each, 10.5 the other 30.48: 256 + 247.4 + 320.1. Together 823.5 +
    257 + 39 = 1,119 bits, 140 bytes; with one plain bit it were 137.
    """
    assert flash_bytes(8, 9, config(FINE)) == 80 + 140


@pytest.mark.parametrize(("size", "weights"), [(31, 69 * 16), (63, 257 * 16)])
def test_when_zeros_are_coded_apart(size: int, weights: int) -> None:
    """Zeros against 6 times the most frequent other number, e + 2.8 sqrt(e) of e = n / 255 each.

    31 x 31 of 32 x 32: 63 + 3.77 zeros, more than 6 x (3.77 + 2.8 x 1.94) = 55.2: 957.2 weights of 8 bits, 1,025 bits
    of runs, 39: 8,721 bits, 69 x 16 bytes. 63 x 63 of 64 x 64: 127 + 15.6 zeros, less than 6 x (15.6 + 2.8 x 3.95) =
    159.7: 4,096 bytes and 39 bits.
    """
    assert flash_bytes(size, size, config()) == -(-size * 10 // 16) * 16 + weights


def test_weights_stand_in_the_order_of_their_use() -> None:
    """3 x 5 in micro-blocks of 2 x 2 and input blocks of 4: blocks of inputs, then of outputs, then 2 inputs at a time.

    Outputs 0 and 1: inputs 0, 1 of both (0 to 3), inputs 2, 3 (4 to 7); output 2 with one of padding: 8, 9, then 12,
    13. Of the second block of inputs, which begins at 16, input 4 alone: 16, 18 and 24.
    """
    engine: EngineConfig = config("engine.unit_outputs=2", "engine.unit_inputs=2", "engine.input_block=4").engine
    assert _in_order(3, 5, engine).tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 16, 18, 24]
