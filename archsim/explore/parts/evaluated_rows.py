"""Makes columns of a part's table from designs that were evaluated at once, without an object a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from archsim.api.batch import Column
from archsim.api.batch.columns import Picked
from archsim.explore.parts.part_file import PartFiles
from archsim.explore.parts.part_rows import KEY_BYTES
from archsim.explore.results.study import Status
from archsim.explore.search.front import Values
from archsim.explore.space.expression import Scalar
from archsim.explore.space.parameters import SCHEDULE


@dataclass(frozen=True, slots=True, eq=False)
class EvaluatedRows:
    """Points that have all objectives, in some order.

    `schedules` and `inputs`: what tables show; `objectives` (N, M); `outputs`: workload -> figure -> its column;
    `digests`: the keys of their designs; `executor`: the one that timed them.
    """

    numbers: Sequence[int]
    schedules: Picked[str]
    inputs: Mapping[str, Picked[Scalar]]
    objectives: Values
    outputs: Mapping[str, Mapping[str, Column]]
    digests: Sequence[bytes]
    executor: str


def table_of_rows(files: PartFiles, rows: EvaluatedRows) -> Any:  # noqa: ANN401 pyarrow has no types
    """The table that PartFiles.table_of_points makes of such points."""
    count = len(rows.numbers)
    columns: dict[str, Any] = {"point": files.number_column(rows.numbers)}
    columns["status"] = _same(files, Status.EVALUATED.value, count)
    columns["schedule"] = _picked(files, files.word_column(rows.schedules.values), rows.schedules)
    for path, picked in rows.inputs.items():
        if path != SCHEDULE:
            columns[path] = _picked(files, files.input_column(path, picked.values), picked)
    for name, values in zip(files.objectives, rows.objectives.T, strict=True):
        columns[name] = files.arrow.array(np.ascontiguousarray(values))
    for workload, figures in rows.outputs.items():
        for name in sorted(figures):
            columns[files.figure_name(workload, name)] = _figure(files, figures[name])
    columns["executor"] = _same(files, rows.executor, count)
    columns |= files.reason_columns([None] * count)
    columns["key"] = files.key_column([digest[:KEY_BYTES] for digest in rows.digests])
    return files.table_of(columns)


def _figure(files: PartFiles, column: Column) -> Any:  # noqa: ANN401
    if isinstance(column.of, Picked):
        return _picked(files, files.figure_column(column.of.values), column.of)
    return files.arrow.array(column.of.astype(np.float64))


def _picked(files: PartFiles, values: Any, picked: Picked[Any]) -> Any:  # noqa: ANN401
    return values.take(files.arrow.array(picked.codes))


def _same(files: PartFiles, word: str, count: int) -> Any:  # noqa: ANN401
    return files.word_column([word]).take(files.arrow.array(np.zeros(count, np.int64)))
