"""A small model with every kind of field, and `faults`: what the user reads for a text and some `--set`."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Annotated, Literal, Protocol

import pytest
from pydantic import Field, field_validator, model_validator

from archsim.config import Bytes, Count, Cycles, PositiveNumber, StrictModel, parse_document, parse_override, validate
from archsim.errors import ArchError


class MacArray(StrictModel):
    rows: Count = Field(description="rows of multipliers")
    columns: Count = Field(description="columns of multipliers")
    dtype: Literal["int8", "float32"] = Field("int8", description="number format")

    @model_validator(mode="after")
    def _not_too_many(self) -> MacArray:
        if self.rows * self.columns > 1000:
            raise ValueError("rows x columns must be\nat most 1,000")
        return self


class Sram(StrictModel):
    kind: Literal["sram"] = Field(description="kind of memory")
    size: Bytes = Field(description="capacity")


class Dram(StrictModel):
    kind: Literal["dram", "hbm"] = Field(description="kind of memory")
    rate: PositiveNumber = Field(description="bytes per cycle")


Memory = Annotated[Sram | Dram, Field(discriminator="kind")]


class Order(Enum):
    ROWS = "rows_first"
    COLUMNS = "columns_first"


BankName = Annotated[str, Field(pattern="^[a-z]+$")]


class Machine(StrictModel):
    mac_array: MacArray = Field(description="the multipliers")
    name: str = Field("m", description="name in reports", min_length=1, max_length=8, pattern="^[a-z]+$")
    memory: Memory | None = Field(None, description="the main memory")
    levels: tuple[Memory, ...] = Field((), description="memory levels", max_length=3)
    latency: Cycles | Literal["auto"] = Field("auto", description="pipeline latency in cycles")
    clock: PositiveNumber = Field(1.0, description="clock in GHz")
    buffer: Bytes | None = Field(None, description="buffer size")
    order: Order = Field(Order.ROWS, description="loop order")
    bits: list[Literal[1, 8, 16]] = Field([], description="weight widths")
    lanes: int = Field(8, description="lanes", multiple_of=8, gt=0)
    shape: tuple[Count, Count] = Field((1, 1), description="grid")
    banks: dict[BankName, Count] = Field({}, description="ports by bank")
    units: MacArray | list[Count] | None = Field(None, description="units")
    pipelined: bool = Field(True, description="whether ops overlap")
    opcode: int = Field(0, alias="op", description="operation code")
    even: int = Field(0, description="an even number")

    @field_validator("even")
    @classmethod
    def _is_even(cls, value: int) -> int:
        if value % 2:
            raise ValueError("it is odd")
        return value


BASE = "mac_array: {rows: 3, columns: 4}\n"


class Read(Protocol):
    """Reads the machine of `BASE` with more text and some `--set`."""

    def __call__(self, text: str = "", *sets: str) -> Machine: ...


class Fault(Protocol):
    """The only fault of `BASE` with more text and some `--set`."""

    def __call__(self, text: str = "", *sets: str) -> str: ...


Faults = Callable[..., list[str]]
"""The lines of the error of a whole text with some `--set`."""


def machine(text: str, *sets: str) -> Machine:
    document = parse_document(text, "edge.yaml", ArchError)
    return validate(Machine, document, [parse_override(item, ArchError) for item in sets], ArchError)


@pytest.fixture
def machine_type() -> type[Machine]:
    """The model itself."""
    return Machine


@pytest.fixture
def read() -> Read:
    """The machine of `BASE` with more text and some `--set`."""

    def of(text: str = "", *sets: str) -> Machine:
        return machine(BASE + text, *sets)

    return of


@pytest.fixture
def faults() -> Faults:
    """The lines of the error of a whole text with some `--set`."""

    def lines(text: str, *sets: str) -> list[str]:
        with pytest.raises(ArchError) as caught:
            machine(text, *sets)
        assert type(caught.value) is ArchError
        return str(caught.value).splitlines()

    return lines


@pytest.fixture
def fault(faults: Faults) -> Fault:
    """The only fault of `BASE` with more text and some `--set`."""

    def line(text: str = "", *sets: str) -> str:
        found = faults(BASE + text, *sets)
        assert len(found) == 1, found
        return found[0]

    return line
