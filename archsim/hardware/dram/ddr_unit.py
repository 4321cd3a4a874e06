"""Models DRAM of kind `ddr`: channels, banks and rows of a device, with its command times and refresh.

A transfer is spread over the channels (ddr_address.py); each channel issues its commands in order (ddr_channel.py), or
reorders them (ddr_reorder.py). The
device counts time in its own clock. Core cycle n begins at device clock n * device clock / core clock; a transfer that
starts at a core cycle may issue commands from the first device clock at or after it, and what ends at a device clock
is there at the first core cycle at or after it. The quotient of the clocks is an exact fraction.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import Field, model_validator

from archsim.config.types import Count, Cycles
from archsim.formats import Formats
from archsim.hardware.dram.ddr_address import AddressMap, Layout, MappingName, lay_out
from archsim.hardware.dram.ddr_channel import Channel, Log
from archsim.hardware.dram.ddr_device import DdrDevice
from archsim.hardware.dram.ddr_reorder import ControllerConfig
from archsim.hardware.dram.ddr_reorder_session import ReorderingSession
from archsim.hardware.dram.transfers import Dram
from archsim.hardware.port_streams import Widths
from archsim.hardware.unit import Service, Session, UnitConfig, Work, ceil_div
from archsim.program.ir import Buffer, Op

MAX_CHANNELS = 128


class DdrConfig(UnitConfig):
    """A device, how many channels of it, and how addresses are spread over them."""

    kind: Literal["ddr"] = Field(description="kind of DRAM: rows, banks and channels of a device")
    device: DdrDevice = Field(description="the device: the name of a preset, or its parameters")
    channels: Annotated[Count, Field(le=MAX_CHANNELS)] = Field(description="channels, each with its own commands")
    address_mapping: MappingName = Field(
        default="row_bank_column_group_channel", description="fields of a burst's number, from the highest bits down"
    )
    controller: ControllerConfig = Field(
        default=ControllerConfig(kind="in_order"), description="order of bursts: in_order or fr_fcfs, or its settings"
    )
    controller_latency_cycles: Cycles = Field(
        description="core cycles from the end of the last burst until the data can be used: controller and wires"
    )

    @model_validator(mode="after")
    def _channels_are_picked_by_bits(self) -> DdrConfig:
        if self.channels.bit_count() != 1:
            raise ValueError(f"channels {self.channels} must be a power of two: bits of an address pick one")
        return self

    @property
    def reorders(self) -> bool:
        """Whether bursts are reordered, and stores done when the controller has them."""
        return self.controller.kind == "fr_fcfs"

    @property
    def capacity_bytes(self) -> int:
        """The bytes of all channels."""
        return self.channels * self.device.channel_bytes

    @property
    def addresses(self) -> AddressMap:
        """How bytes are spread over channels, banks and rows."""
        return AddressMap(self.device, self.channels, self.address_mapping)

    def layout(self, buffers: Sequence[Buffer]) -> Layout:
        """The layout of the buffers: each begins a row set of its own."""
        return lay_out(buffers, self.addresses.stripe_bytes)


class DdrDram(Dram[DdrConfig]):
    """The DRAM unit whose rows are open or not: service times come from a session, one for each run."""

    kind = "ddr"
    summary = (
        "channels of a device with banks, rows, refresh and its times between commands; open page, in order or FR-FCFS"
    )

    def __init__(self, config: DdrConfig, ports: Widths, formats: Formats, core_mhz: Fraction) -> None:
        super().__init__(config, ports, formats)
        self.clocks_per_cycle = config.device.clock_mhz / core_mhz

    @property
    def identity(self) -> tuple[Hashable, ...]:
        return (*super().identity, self.clocks_per_cycle)

    @property
    def static(self) -> bool:
        return False

    def session(self, buffers: Sequence[Buffer]) -> Session:
        layout = self.config.layout(buffers)
        return self.reordering_session(layout) if self.config.reorders else DdrSession(self, layout)

    def reordering_session(self, layout: Layout, logs: Sequence[Log] | None = None) -> ReorderingSession:
        """The state of channels that reorder; `logs`: for each channel, what is called with its commands."""
        config = self.config
        given: Sequence[Log | None] = logs if logs is not None else [None] * config.channels
        latency = config.controller_latency_cycles
        return ReorderingSession(
            config.addresses, config.device, config.controller, layout, self.clocks_per_cycle, latency, given
        )

    @property
    def burst(self) -> int:
        return self.config.device.burst_bytes

    def compute_cycles(self, op: Op) -> int:
        """A lower bound in cycles: the bursts of the fullest channel on its data bus."""
        burst, channels = self.config.device.burst_bytes, self.config.channels
        bursts = sum(ceil_div(ceil_div(piece.bits, 8), burst) for piece in self.pieces(op))
        return self._core_cycles(ceil_div(bursts, channels) * self.config.device.tccd_s_nck)

    def depth_cycles(self, op: Op) -> int:
        """A lower bound in cycles: from the last burst's turn until its data are through the controller."""
        d = self.config.device
        stores = any(region.buffer.memory == self.name for region in op.writes)
        if stores and self.config.reorders:
            return self.config.controller_latency_cycles
        latency = d.tcwl_nck if stores else d.tcl_nck
        clocks = max(0, latency + d.data_nck - d.tccd_s_nck)
        return int(clocks / self.clocks_per_cycle) + self.config.controller_latency_cycles

    def work(self, op: Op) -> Work:
        d = self.config.device
        per_clock = Fraction(self.config.channels * d.burst_bytes, d.tccd_s_nck)
        return Work(self.bytes_moved(op), per_clock * self.clocks_per_cycle)

    def _core_cycles(self, clocks: int) -> int:
        cycles = clocks / self.clocks_per_cycle
        return ceil_div(cycles.numerator, cycles.denominator)


class DdrSession(Session):
    """The state of the channels during one run."""

    def __init__(self, unit: DdrDram, layout: Layout, logs: Sequence[Log] | None = None) -> None:
        """Begin a run; `logs`: for each channel, what is called with its commands."""
        config = unit.config
        self._unit = unit
        self._layout = layout
        self._addresses = config.addresses
        given: Sequence[Log | None] = logs if logs is not None else [None] * config.channels
        self.channels = tuple(Channel(config.device, log) for log in given)
        self._clocks, self._cycles = unit.clocks_per_cycle.as_integer_ratio()

    def service(self, op: Op, repetition: int, queued_cycle: int, start_cycle: int) -> Service:
        """Issue an op's commands on all channels; the unit is held until the last burst's turn is over."""
        unit, d = self._unit, self._unit.config.device
        rows_from, columns_from = self._clock(queued_cycle), self._clock(start_cycle)
        ranges = [(self._layout.byte_range(piece, repetition), piece in op.writes) for piece in unit.pieces(op)]
        free = done = 0
        begins: list[int] = []
        for number, channel in enumerate(self.channels):
            for byte_range, write in ranges:
                for run in self._addresses.runs(byte_range, number):
                    first, last = channel.access(run, write, rows_from, columns_from)
                    if not write:
                        begins.append(first + d.first_data_nck)
                    free = max(free, last + d.tccd_s_nck)
                    done = max(done, last + (d.tcwl_nck if write else d.tcl_nck) + d.data_nck)
        free_cycle, port = self._cycle(free), unit.port_cycles(op)
        depth = max(0, self._cycle(done) - free_cycle)
        if begins:  # ports pass nothing before the first data have come
            passed = self._cycle(min(begins)) - 1 + port
            depth = max(depth, passed - max(free_cycle, start_cycle + port))
        return Service(free_cycle - start_cycle, port, depth + unit.config.controller_latency_cycles)

    def counts(self) -> Mapping[str, int]:
        """The bursts, row misses, row conflicts and refreshes of all channels together."""
        names = ("bursts", "row_misses", "row_conflicts", "refreshes")
        return {name: sum(getattr(channel, name) for channel in self.channels) for name in names}

    def _clock(self, cycle: int) -> int:
        """The first device clock at or after a core cycle."""
        return ceil_div(cycle * self._clocks, self._cycles)

    def _cycle(self, clock: int) -> int:
        """The first core cycle at or after a device clock."""
        return ceil_div(clock * self._cycles, self._clocks)
