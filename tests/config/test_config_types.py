"""The field types: what they take, and that they are strict and bounded."""

from __future__ import annotations

from typing import Annotated

import pytest
from pydantic import Field, TypeAdapter, ValidationError
from typing_extensions import TypeAliasType, TypeForm

from archsim.config import Bytes, Count, Cycles, PositiveNumber, StrictModel, parse_document, validate
from archsim.config.types import Text
from archsim.errors import ArchError
from tests.config.conftest import Fault, Read

SIZE = "expected a size from 1 to 1,125,899,906,842,624 bytes, as 4096, 512KiB or 8MiB, or null (buffer size)"


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1", 1),
        ("1125899906842624", 2**50),
        ("64 B", 64),
        ("64B", 64),
        ("512KiB", 512 * 1024),
        ("8 MiB", 8 * 2**20),
        ("1GiB", 2**30),
        ("1024 TiB", 2**50),
        ("1.5MiB", 3 * 2**19),
        ("0.5KiB", 512),
        ("'2KiB'", 2048),
    ],
)
def test_sizes(read: Read, text: str, size: int) -> None:
    assert read(f"buffer: {text}").buffer == size


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0", "got 0"),
        ("-1", "got -1"),
        ("1125899906842625", "got 1125899906842625"),
        ("1025TiB", "got '1025TiB'"),
        ("0B", "got '0B'"),
        ("true", "got the boolean true"),
        ("2.0", "got the decimal number 2.0"),
        ("[1]", "got the list [1]"),
        ("8KB", "got '8KB': decimal units are not allowed; write KiB (1,024-based) for KB"),
        ("8 MB", "got '8 MB': decimal units are not allowed; write MiB (1,024-based) for MB"),
        ("8kb", "got '8kb': there is no unit 'kb'; the units are B, KiB, MiB, GiB, TiB"),
        ("1.3KiB", "got '1.3KiB': this is not a whole number of bytes"),
        ("0.5B", "got '0.5B': this is not a whole number of bytes"),
        ("'8'", "got '8': a size in quotes is a number and a unit (B, KiB, MiB, GiB, TiB)"),
        ("-8KiB", "got '-8KiB': a size in quotes is a number and a unit (B, KiB, MiB, GiB, TiB)"),
        ("1e3KiB", "got '1e3KiB': a size in quotes is a number and a unit (B, KiB, MiB, GiB, TiB)"),
        ("'٣KiB'", "got '٣KiB': a size in quotes is a number and a unit (B, KiB, MiB, GiB, TiB)"),
    ],
)
def test_refused_sizes(fault: Fault, text: str, message: str) -> None:
    assert fault(f"buffer: {text}") == f"edge.yaml:2: buffer: {SIZE}, {message}"


def test_a_size_of_many_digits_is_refused(fault: Fault) -> None:
    assert fault(f"buffer: {'9' * 5000}KiB").endswith(
        f"got '{'9' * 55}...': a size in quotes is a number and a unit (B, KiB, MiB, GiB, TiB)"
    )


@pytest.mark.parametrize(
    ("kind", "taken", "refused"),
    [
        (Count, [1, 1_048_576], [0, -1, 1_048_577, 10**40, True, 1.0, "1", None]),
        (Cycles, [0, 1_000_000_000], [-1, 1_000_000_001, False, 0.0, "0", None]),
        (Bytes, [1, 2**50, "1B"], [0, 2**50 + 1, True, 1.0, "1", None]),
        (Text, ["a", "x" * 200], ["", "x" * 201, 1, True, None]),
        (PositiveNumber, [1, 0.5, 1e-18, 1e18], [0, 0.0, -1, 1e-19, 1e19, 10**40, True, "1", None]),
    ],
)
def test_bounds_and_strictness(
    kind: TypeForm[object], taken: list[str | float], refused: list[bool | float | str | None]
) -> None:
    adapter: TypeAdapter[object] = TypeAdapter(kind)
    for good in taken:
        adapter.validate_python(good)
    for bad in refused:
        with pytest.raises(ValidationError):
            adapter.validate_python(bad)


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_numbers_are_finite(value: float) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(PositiveNumber).validate_python(value)


class Plain(StrictModel):
    count: int = Field(description="a number")
    ratio: float = Field(default=0.0, description="a ratio")


Width = TypeAliasType("Width", Annotated[int, Field(ge=1, le=64)])


class Aliased(StrictModel):
    width: Width = Field(description="width in bits")


def test_named_types_are_looked_into() -> None:
    document = parse_document("width: 65", "a.yaml", ArchError)
    with pytest.raises(ArchError) as caught:
        validate(Aliased, document, (), ArchError)
    assert str(caught.value) == "a.yaml:1: width: expected an integer from 1 to 64 (width in bits), got 65"


class Named(StrictModel):
    label: Annotated[str, Field(min_length=1)] = Field(description="a label")


def test_one_of_a_thing_is_singular() -> None:
    with pytest.raises(ArchError) as caught:
        validate(Named, parse_document("label: ''", "a.yaml", ArchError), (), ArchError)
    assert str(caught.value) == "a.yaml:1: label: expected a string of at least 1 character (a label), got ''"


def test_strict_model() -> None:
    model = Plain(count=1)
    with pytest.raises(ValidationError):
        model.count = 2
    for wrong in (
        {"count": "1"},
        {"count": True},
        {"count": 1, "more": 2},
        {"count": 1, "ratio": float("inf")},
    ):
        with pytest.raises(ValidationError):
            Plain.model_validate(wrong)
