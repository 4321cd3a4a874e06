"""Random changes of files: of their bytes, and inside their structure."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

HUGE = (1 << 31) - 1, 1 << 31, 1 << 32, 1 << 40, 1 << 42, (1 << 63) - 1, (1 << 64) - 1
"""What a number may claim to be."""


def mutated(suffix: str, data: bytes, others: list[bytes], random: np.random.Generator) -> bytes:
    """Random changes: of the bytes as they are, or inside the structure, so that lengths and checksums still hold."""
    if random.integers(4):
        if data[:4] == b"PK\x03\x04":
            return _mutated_member(data, others, random)
        if suffix == ".safetensors":
            return _mutated_header(data, others, random)
        if suffix == ".onnx":
            return _mutated_model(data, others, random)
    return _mutated_bytes(data, others, random)


def _mutated_bytes(data: bytes, others: list[bytes], random: np.random.Generator) -> bytes:
    changed = bytearray(data)
    for _ in range((1, 1, 1, 2, 3, 4)[random.integers(6)]):
        mutation = _MUTATIONS[random.integers(len(_MUTATIONS))]
        mutation(changed, others[random.integers(len(others))], random)
    return bytes(changed)


def _mutated_member(data: bytes, others: list[bytes], random: np.random.Generator) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(made, "w") as new:
        names = old.namelist()
        largest = max(old.infolist(), key=lambda member: member.file_size).filename
        chosen = largest if random.integers(2) else names[random.integers(len(names))]
        for name in names:
            content = old.read(name)
            new.writestr(name, _mutated_bytes(content, others, random) if name == chosen else content)
    return made.getvalue()


def _mutated_header(data: bytes, others: list[bytes], random: np.random.Generator) -> bytes:
    """A safetensors file with another header, of the length that stands before it."""
    length = int.from_bytes(data[:8], "little")
    header = _mutated_bytes(data[8 : 8 + length], others, random)
    return len(header).to_bytes(8, "little") + header + data[8 + length :]


def _mutated_model(data: bytes, others: list[bytes], random: np.random.Generator) -> bytes:
    """An ONNX model with one to four fields changed."""
    import onnx

    model = onnx.ModelProto.FromString(data)
    for _ in range((1, 1, 1, 2, 3, 4)[random.integers(6)]):
        messages = list(_messages(model))
        message = messages[random.integers(len(messages))]
        fields = [(field, value) for field, value in message.ListFields() if field.message_type is None]
        if fields:
            field, value = fields[random.integers(len(fields))]
            texts = [text for inner in messages for text in _texts(inner)]
            _change_field(message, field.name, value, texts, others, random)
    return bytes(model.SerializeToString())


def _messages(message: Any) -> Iterator[Any]:
    yield message
    for field, value in message.ListFields():
        if field.message_type is not None:
            for inner in value if field.is_repeated else [value]:
                yield from _messages(inner)


def _texts(message: Any) -> Iterator[str]:
    for _, value in message.ListFields():
        if isinstance(value, str):
            yield value


def _change_field(
    message: Any, name: str, value: Any, texts: list[str], others: list[bytes], random: np.random.Generator
) -> None:
    """One value, or an element of a list, becomes another of its type; an element is dropped or repeated."""

    def other(old: Any) -> Any:
        if isinstance(old, str):
            return (*texts, "", "LSTM", "GRU", "RNN", "LSTM\n")[random.integers(len(texts) + 5)]
        if isinstance(old, bytes):
            return _mutated_bytes(old, others, random)
        if isinstance(old, float):
            return (0.0, -1.0, 1e30, float("nan"), float("inf"), old * 2)[random.integers(6)]
        choices = (*HUGE[:2], HUGE[3], HUGE[5], -1, -2, 0, 1, 2, 3, 4, 7, 16)
        return choices[random.integers(len(choices))]

    try:
        if isinstance(value, str | bytes | float | int):
            setattr(message, name, other(value))
        elif len(value):
            place = int(random.integers(len(value)))
            kept = list(value)
            change = random.integers(4)
            changed = [*kept[:place], *([], [other(kept[place])], [kept[place]] * 2, [kept[place - 1]])[change]]
            del value[:]
            value.extend([*changed, *kept[place + 1 :]])
    except (ValueError, TypeError):  # a number out of the field's range: leave it
        return


def _place(data: bytearray, random: np.random.Generator) -> int:
    """A place, half of the time near the beginning or the end, where headers and directories are."""
    near = min(len(data), 1024)
    low, high = ((0, len(data)), (0, len(data)), (0, near), (len(data) - near, len(data)))[random.integers(4)]
    return int(random.integers(low, max(high, low + 1)))


def flip(data: bytearray, _other: bytes, random: np.random.Generator) -> None:
    for _ in range(random.integers(1, 6)):
        place = _place(data, random)
        if place < len(data):
            data[place] ^= 1 << int(random.integers(8))


def overwrite(data: bytearray, _other: bytes, random: np.random.Generator) -> None:
    place = _place(data, random)
    length = int(random.integers(1, 9))
    data[place : place + length] = random.integers(0, 256, length, np.uint8).tobytes()


def truncate(data: bytearray, _other: bytes, random: np.random.Generator) -> None:
    del data[_place(data, random) :]


def remove(data: bytearray, _other: bytes, random: np.random.Generator) -> None:
    place = _place(data, random)
    del data[place : place + int(random.integers(1, 200))]


def splice(data: bytearray, other: bytes, random: np.random.Generator) -> None:
    place, start = _place(data, random), int(random.integers(0, len(other)))
    piece = other[start : start + int(random.integers(1, 400))]
    data[place : place + (len(piece) if random.integers(2) else 0)] = piece


def claim(data: bytearray, _other: bytes, random: np.random.Generator) -> None:
    """A binary number becomes a huge one."""
    place, size = _place(data, random), (2, 4, 8)[random.integers(3)]
    number = HUGE[random.integers(len(HUGE))] & ((1 << 8 * size) - 1)
    data[place : place + size] = number.to_bytes(size, "little")


def claim_in_text(data: bytearray, _other: bytes, random: np.random.Generator) -> None:
    """A decimal number in a text header becomes another, often a huge one."""
    numbers = list(re.finditer(rb"[0-9]+", data[:65536]))
    if numbers:
        found = numbers[random.integers(len(numbers))]
        choices = (*HUGE, 0, 1, 3, 10**12, 10**30, -1)
        new = str(choices[random.integers(len(choices))]).encode()
        new = new.rjust(len(found[0]), b"0") if random.integers(2) else new
        data[found.start() : found.end()] = new


Mutation = Callable[[bytearray, bytes, np.random.Generator], None]
_MUTATIONS: tuple[Mutation, ...] = (flip, flip, overwrite, overwrite, truncate, remove, splice, claim, claim_in_text)
