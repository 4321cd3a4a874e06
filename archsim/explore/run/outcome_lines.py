"""Writes outcomes as lines of a journal: many that are rows of the same tables as columns in one line.

A line of one outcome is what `Outcome.to_json` writes. One of many has keys, the executor, and for each workload and
figure a column: numbers of 64 bits (`i8`, `f8`, least byte first, in base64, so that each is the same number again), or
`values` and with `u2`, numbers of 16 bits, which of them each design has; without these they have the same.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from archsim.api.batch import Column
from archsim.api.batch.columns import Picked
from archsim.explore.run.outcome import Kind, Outcome
from archsim.explore.run.output_table import OutputTable, RowOutputs

MOST_IN_LINE = 4096
"""Most rows of tables in a line, which has some 4 KB a design at most; no more than 16 bits can tell apart."""
_BEGIN = b'{"keys":'


def lines_of(outcomes: Iterable[Outcome]) -> Iterator[str]:
    """The lines of some outcomes; ValueError if a figure is no finite number.

    Those of a line stand in their order, lines in the order of their first ones.
    """
    groups: dict[tuple[object, ...], list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault(_tables(outcome), []).append(outcome)
    for group in groups.values():
        most = max(1, MOST_IN_LINE // max(1, len(group[0].outputs)))
        for begin in range(0, len(group), most):
            part = group[begin : begin + most]
            yield part[0].to_json() if len(part) == 1 else _block(part)


def outcomes_of(line: bytes) -> list[Outcome]:
    """Reads a line that `lines_of` wrote; ValueError for anything else, also for a text that only looks like it."""
    if not line.startswith(_BEGIN):
        return [Outcome.from_json(line)]
    try:
        return _outcomes(json.loads(line, parse_constant=_refuse))
    except (AttributeError, IndexError, KeyError, OverflowError, RecursionError, TypeError) as error:
        raise ValueError("is no line of outcomes") from error


def _tables(outcome: Outcome) -> tuple[object, ...]:
    """What outcomes of a line have in common: executor and tables; one that is no row of tables has it with no other.

    A table is known by where it is, which stays as it is while its rows are at hand.
    """
    rows = [(name, id(found.table)) for name, found in outcome.outputs.items() if isinstance(found, RowOutputs)]
    whole = bool(rows) and len(rows) == len(outcome.outputs)
    return (outcome.executor, *rows) if whole else (id(outcome),)


def _block(outcomes: Sequence[Outcome]) -> str:
    outputs: dict[str, dict[str, Any]] = {}
    for name in outcomes[0].outputs:
        found = [outcome.outputs[name] for outcome in outcomes]
        rows = np.array([row.row for row in found if isinstance(row, RowOutputs)], np.intp)
        table = next(row.table for row in found if isinstance(row, RowOutputs))
        whole = np.array_equal(rows, np.arange(table.rows))
        mine = table.columns if whole else {figure: column.at(rows).compact for figure, column in table.columns.items()}
        outputs[name] = {figure: _written(column) for figure, column in mine.items()}
    keys = [outcome.key for outcome in outcomes]
    block = {"keys": keys, "executor": outcomes[0].executor, "outputs": outputs}
    return json.dumps(block, separators=(",", ":"), allow_nan=False)


def _written(column: Column) -> dict[str, Any]:
    """A column as data for JSON."""
    if isinstance(column.of, Picked):
        values = list(column.of.values)
        return {"values": values} if len(values) == 1 else {"values": values, "u2": _packed(column.of.codes, "<u2")}
    if column.of.dtype == np.int64:
        return {"i8": _packed(column.of, "<i8")}
    if not np.isfinite(column.of).all():
        raise ValueError("a figure is no finite number")
    return {"f8": _packed(column.of, "<f8")}


def _packed(numbers: npt.NDArray[Any], kind: str) -> str:
    return base64.b64encode(numbers.astype(kind).tobytes()).decode("ascii")


def _unpacked(text: str, kind: str) -> npt.NDArray[Any]:
    return np.frombuffer(base64.b64decode(text, validate=True), kind)


def _outcomes(block: dict[str, Any]) -> list[Outcome]:
    keys, executor, outputs = block["keys"], block["executor"], block["outputs"]
    if (
        len(block) != 3
        or not isinstance(executor, str)
        or not outputs
        or not keys
        or not all(isinstance(k, str) for k in keys)
    ):
        raise ValueError("is no line of outcomes")
    tables = {
        name: OutputTable({figure: _read(column, len(keys)) for figure, column in figures.items()})
        for name, figures in outputs.items()
    }
    return [
        Outcome(key, Kind.DONE, {name: table.row(row) for name, table in tables.items()}, executor)
        for row, key in enumerate(keys)
    ]


def _read(data: dict[str, Any], designs: int) -> Column:
    """Reads what `_written` wrote of so many designs."""
    if "values" in data:
        values = data["values"]
        codes = _unpacked(data["u2"], "<u2") if "u2" in data else np.zeros(designs, np.intp)
        if len(codes) != designs or codes.max() >= len(values) or not all(map(_is_scalar, values)):
            raise ValueError("is no column")
        return Column(Picked(values, codes.astype(np.intp)))
    numbers = _unpacked(data["i8"], "<i8") if "i8" in data else _unpacked(data["f8"], "<f8")
    if len(numbers) != designs or not np.isfinite(numbers).all():
        raise ValueError("is no column")
    return Column(numbers.astype(np.int64) if "i8" in data else numbers.astype(np.float64))


def _is_scalar(value: object) -> bool:
    return value is None or type(value) is str or (type(value) in (int, float) and math.isfinite(value))  # type: ignore[arg-type]


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no figure")
