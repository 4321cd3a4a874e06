"""Models the link to the host: x and outputs pass beside the DRAM of the weights, in a channel of their own."""

from __future__ import annotations

from archsim.hardware.dram.simple import SimpleDram


class HostLink(SimpleDram):
    """The unit that executes transfers between the host's memory and the chip, with the rules of DRAM."""

    name = "host"
    summary = "the link to the host's memory, one in-order channel: x, initial states, biases in, outputs out"
