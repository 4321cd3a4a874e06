"""Declares the words of the units' programs, and the tags that go along their pipelines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from archsim.families.gemv.rtl.memories import Pointer
from archsim.families.gemv.rtl.words import Field, Word


@dataclass(frozen=True, slots=True)
class WordSizes:
    """The widths that words share: addresses, counts, numbers of ops by unit, and numbers of some formats."""

    address: int
    count: int
    mac_op: int
    act_op: int
    ew_op: int
    dma_op: int
    source: int
    gate: int
    function: int


def region_word(sizes: WordSizes) -> Word:
    """The word of a pointer."""
    return Word("region_t", tuple(Field(name, sizes.address) for name in ("first", "step", "limit", "span")))


def pointer_word(pointer: Pointer, sizes: WordSizes) -> int:
    """A pointer packed."""
    values = {"first": pointer.first, "step": pointer.step, "limit": pointer.limit, "span": pointer.span}
    mask = (1 << sizes.address) - 1
    return region_word(sizes).pack({name: value & mask for name, value in values.items()})


def op_words(sizes: WordSizes) -> Mapping[str, Word]:
    """The word of an op of each unit, by unit."""
    count, address = sizes.count, sizes.address
    region = region_word(sizes).bits

    def counts(*names: str) -> tuple[Field, ...]:
        return tuple(Field(name, count) for name in names)

    def regions(*names: str) -> tuple[Field, ...]:
        return tuple(Field(name, region, "region_t") for name in names)

    dma = Word(
        "dma_op_t",
        (
            *counts("occupancy", "write_beats", "items"),
            Field("kind", 2),
            Field("vector", 2),
            *regions("outside", "inside_"),
        ),
    )
    mac = Word(
        "mac_op_t",
        (
            *counts("occupancy", "write_beats", "beats", "chunks", "first_chunks", "x_inputs", "rows", "entries"),
            Field("starts", 1),
            Field("has_bias", 1),
            Field("h_is_vector", 1),
            Field("x_zero", 17),
            Field("h_zero", 17),
            *(Field(name, address) for name in ("weight_line", "line_step", "bias_line", "scale_line", "h_back")),
            *regions("x", "h", "sums"),
        ),
    )
    act = Word(
        "act_op_t",
        (
            *counts("occupancy", "write_beats", "beats", "values"),
            Field("source", 2),
            Field("target", 2),
            *_function_fields(sizes),
            *regions("from", "into"),
        ),
    )
    ew = Word(
        "ew_op_t",
        (
            *counts("occupancy", "write_beats", "beats", "values"),
            Field("adds", 1),
            Field("target", 2),
            Field("b_source", 3),
            Field("d_source", 2),
            *_lane_fields(sizes),
            *regions("a", "b", "c", "d", "into"),
        ),
    )
    return {"dma": dma, "mac": mac, "act": act, "ew": ew}


def tag_words(sizes: WordSizes) -> tuple[Word, ...]:
    """The tags that go along the pipelines."""
    count, address = sizes.count, sizes.address
    place = (Field("address", address), Field("count", count))
    return (
        Word(
            "mac_tag_t",
            (
                Field("valid", 1),
                Field("op", sizes.mac_op),
                Field("lane", count),
                *(Field(name, 1) for name in ("first", "last", "final_one", "add", "bias")),
                Field("bias_line", address),
                Field("scale_line", address),
                *place,
                Field("column", count),
                Field("x_inputs", count),
                Field("x_zero", 17),
                Field("h_zero", 17),
            ),
        ),
        Word(
            "act_tag_t",
            (Field("valid", 1), Field("op", sizes.act_op), Field("target", 2), *place, *_function_fields(sizes)),
        ),
        Word(
            "ew_tag_t",
            (
                Field("valid", 1),
                Field("op", sizes.ew_op),
                Field("adds", 1),
                Field("target", 2),
                *place,
                *_lane_fields(sizes),
            ),
        ),
        Word(
            "dma_tag_t",
            (Field("valid", 1), Field("op", sizes.dma_op), Field("kind", 2), Field("vector", 2), *place),
        ),
    )


def _function_fields(sizes: WordSizes) -> tuple[Field, ...]:
    return (
        Field("is_identity", 1),
        Field("clips", 1),
        Field("bound", sizes.source),
        Field("source_zero", 16),
        Field("m", 31),
        Field("s", 9, "logic signed [8:0]"),
        Field("m2", 31),
        Field("s2", 9, "logic signed [8:0]"),
        Field("function_base", sizes.function),
        Field("target_zero", 16, "logic signed [15:0]"),
        Field("target_rounding", 2),
    )


def _lane_fields(sizes: WordSizes) -> tuple[Field, ...]:
    return (
        Field("complement", 1),
        Field("unit_second", 1),
        Field("has_second", 1),
        Field("one", sizes.gate),
        Field("b_zero", 17),
        Field("d_zero", 17),
        Field("target_zero", 16, "logic signed [15:0]"),
        Field("target_rounding", 2),
        Field("m1", 31),
        Field("s1", 9, "logic signed [8:0]"),
        Field("m2", 31),
        Field("s2", 9, "logic signed [8:0]"),
    )
