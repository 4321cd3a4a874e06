"""The link to the host: x comes and outputs go beside the DRAM of the weights, through a channel of their own."""

from __future__ import annotations

from archsim.hardware.dram.simple import SimpleDram


class HostLink(SimpleDram):
    """Executes Transfer ops between the host's memory and the chip, with the rules of a DRAM channel."""

    name = "host"
    summary = "the link to the host's memory, one in-order channel: x, initial states, biases in, outputs out"
