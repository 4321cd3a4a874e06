"""What each kind of operator takes: cycles of the engine, bytes of SRAM; the rules are in docs/ethosu.md."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from archsim.families.ethosu.config import EngineConfig, EthosuConfig
from archsim.families.ethosu.transfers import Vector
from archsim.hardware.unit import ceil_div


@dataclass(frozen=True, slots=True)
class Cost:
    """The cycles of the engine, and of SRAM and flash, which work beside it: the longest counts."""

    engine_cycles: int
    sram_cycles: int
    flash_cycles: int = 0


@dataclass(frozen=True, slots=True)
class Costs:
    """The costs of operators on one machine."""

    config: EthosuConfig

    def dot_product(self, inputs: Vector, outputs: Vector, flash_bytes: int) -> Cost:
        """Outputs of a matrix times inputs: an input block after the other, micro-block by micro-block."""
        engine = self.config.engine
        block = _block(outputs.size, engine)
        rows = min(outputs.size, block)
        input_block = min(_up(inputs.size, engine.unit_outputs), engine.input_block)
        passes = ceil_div(inputs.size, min(inputs.size, input_block))
        work = (self._micro_blocks(rows, engine.weight_cycles)) * passes
        flash = self.config.flash
        bias = rows * self.config.weight_stream.channel_bytes * flash.read_latency_cycles // 256
        behind = max(int(Fraction(engine.product_cycles) * rows), bias)
        loaded = self._cycles(inputs.moved(min(inputs.size, input_block), input_block, self._burst, read=True))
        stored = self._cycles(outputs.moved(rows, block, self._burst, read=False))
        cycles = self._blocks(outputs.size, block, work, behind, loaded, stored)
        fetched = inputs.size * ceil_div(outputs.size, rows)
        moved = inputs.moved(fetched, input_block, self._burst, read=True)
        moved += outputs.moved(outputs.padded, block, self._burst, read=False)
        return Cost(cycles, self._cycles(moved), ceil_div(flash_bytes, flash.bytes_per_cycle))

    def passing(self, source: Vector, target: Vector) -> Cost:
        """Numbers that pass one by one: a copy, a limit, a table."""
        engine = self.config.engine
        block = _block(target.size, engine)
        count = min(target.size, block)
        work = self._micro_blocks(count, engine.pool_cycles * target.bits // 8)
        behind = ceil(Fraction(engine.pass_cycles) * count)
        loaded = self._cycles(source.moved(count, block, self._burst, read=True))
        stored = self._cycles(target.moved(count, block, self._burst, read=False))
        cycles = self._blocks(target.size, block, work, behind, loaded, stored)
        return Cost(cycles, self._cycles(self._whole((source,), target, block)))

    def elementwise(self, sources: tuple[Vector, Vector], target: Vector, each: float) -> Cost:
        """A sum or product of two vectors; both are read as the first one lies."""
        block = _block(target.size, self.config.engine)
        cycles = ceil(Fraction(each) * target.padded)
        return Cost(cycles, self._cycles(self._whole(sources, target, block, sources[0].padded)))

    def _whole(self, sources: tuple[Vector, ...], target: Vector, block: int, count: int | None = None) -> int:
        """The bytes of SRAM of whole vectors."""
        moved = target.moved(target.padded, block, self._burst, read=False)
        for source in sources:
            moved += source.moved(source.padded if count is None else count, block, self._burst, read=True)
        return moved

    def _micro_blocks(self, outputs: int, each: int) -> int:
        engine = self.config.engine
        count = ceil_div(outputs, engine.unit_outputs)
        return each * count + (engine.single_delay_cycles if count == 1 else 0)

    def _blocks(self, size: int, block: int, work: int, behind: int, loaded: int, stored: int) -> int:
        """All blocks of an operator: the longer of work and what stands behind it for each, the other once."""
        sram, engine = self.config.sram, self.config.engine
        several = size > block
        exposed = max(0, stored - loaded) if several else 0
        command = max(behind, (behind + work + exposed) // engine.command_share)
        out = sram.read_latency_cycles + sram.write_latency_cycles + loaded + stored + command
        blocks = Fraction(_up(size, engine.unit_outputs), block) if several else Fraction(1)
        return int(max(work, out) * blocks) + min(work, out)

    def _cycles(self, moved_bytes: int) -> int:
        return moved_bytes // self.config.sram.bytes_per_cycle

    @property
    def _burst(self) -> int:
        return self.config.sram.burst_bytes


def _up(amount: int, to: int) -> int:
    return ceil_div(amount, to) * to


def _block(outputs: int, engine: EngineConfig) -> int:
    """The outputs of a block: all of them, in whole micro-blocks, or as many as there is room for."""
    return min(_up(outputs, engine.unit_outputs), engine.output_block)
