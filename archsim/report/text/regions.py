"""Writes operands as text: buffer, slot and entries, as `h{(t+1)%2}[0:8]`."""

from __future__ import annotations

from archsim.program.ir import Op, Region


def region_text(region: Region) -> str:
    """The text of a region: braces hold the slot in repetition t, brackets the entries if not all."""
    buffer = region.buffer
    slot = "" if buffer.slots == 1 else f"{{{slot_rule(region)}}}"
    whole = (region.start, region.stop) == (0, buffer.entries)
    entries = "" if whole else f"[{region.start}:{region.stop}]"
    return f"{buffer.name}{slot}{entries}"


def slot_rule(region: Region) -> str:
    """The text of the slot in repetition t, reduced: `t%2`, `2t%4`, `(7t+5)%8`, `t+2`, `1`.

    `t+2` is never re-used, `1` is always the same.
    """
    slots = region.buffer.slots
    stride, offset = region.stride, region.offset
    if slots is not None:
        stride, offset = stride % slots, offset % slots
    if not stride:
        return str(offset)
    repetition = "t" if stride == 1 else f"{stride}t"
    rule = f"{repetition}{offset:+d}" if offset else repetition
    if slots is None:
        return rule
    return f"({rule})%{slots}" if offset else f"{rule}%{slots}"


def operands_text(op: Op) -> str:
    """The text of an op's operands, reads -> writes; a write that is `+=` keeps what was there."""
    reads = " ".join(region_text(region) for region in op.reads) or "nothing"
    updates = set(op.updates)
    writes = " ".join(region_text(region) + (" +=" if region in updates else "") for region in op.writes) or "nothing"
    return f"{reads} -> {writes}"
