"""Names what the order of ops depends on, so that programs that are alike in it are put in order and checked once.

Dependencies follow from which ops touch the same entries of the same buffers, on which units and in which repetitions;
how long a vector is, what a buffer is called, in which memory it lies and what an op computes is nothing to them. Where
regions begin and end counts only by the order of these places. Ops that agree in all of it have the same digest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache

import numpy as np

from archsim.config.files.sources import PACKAGE, sources_digest, sources_of
from archsim.program.accesses import Accesses, Ints
from archsim.program.causes import read_cause, write_cause
from archsim.program.codes import CAUSE_CODES
from archsim.program.ir import Buffer, Phase, Program


def ops_digest(ops: Accesses) -> bytes:
    """The digest of ops that become a phase: what their dependencies follow from."""
    return _digest("ops", [ops], [])


def program_digest(program: Program) -> bytes:
    """The digest of a program: what its hazards follow from, the dependencies that it has among it."""
    return _digest("program", [phase.accesses for phase in program.phases], list(map(_order, program.phases)))


def _digest(what: str, bodies: Sequence[Accesses], orders: Sequence[Ints]) -> bytes:
    """32 bytes that differ where anything differs that is given; `what` tells kinds of digests apart."""
    together = Accesses.joined(bodies)
    # The places of a region's ends among all ends of its buffer stand for the ends themselves.
    first, past, _ = together.segments
    entries = together.of_buffer([buffer.entries for buffer in together.buffers])
    inside = (together.start >= 0) & (together.start < together.stop) & (together.stop <= entries)
    rows = (together.op, together.role, together.buffer, first, past, together.offset, together.stride, inside)
    heads = (together.unit, together.skip_first, together.skip_last)
    arrays = (np.stack(heads), np.stack(rows), np.array(list(map(_facts, together.buffers))), together.name_of, *orders)
    sizes = [len(body) for body in bodies], [array.shape for array in arrays]
    found = hashlib.sha256(f"{what} {_sources()} {sizes} ".encode())
    for array in arrays:
        found.update(np.ascontiguousarray(array, np.int64).tobytes())
    return found.digest()


def _facts(buffer: Buffer) -> tuple[int, ...]:
    """What counts of a buffer, besides which others have its name."""
    slots, length = (-1 if count is None else count for count in (buffer.slots, buffer.length))
    causes = CAUSE_CODES[read_cause(buffer)], CAUSE_CODES[write_cause(buffer)]
    return slots, length, buffer.is_input, buffer.is_cleared, buffer.stream, *causes


def _order(phase: Phase) -> Ints:
    """How often the ops of a phase are repeated, and what each of them waits for."""
    return np.append(phase.order.ravel(), phase.repeat)


@cache
def _sources() -> str:
    """A text that changes whenever anything changes that puts ops in order or checks them."""
    return sources_digest(sources_of(PACKAGE / "program"))
