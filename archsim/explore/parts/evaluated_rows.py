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
from archsim.explore.results.arrow_arrays import number_array, word_array
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
    all_the_same = np.zeros(len(rows.numbers), np.intp)
    columns: dict[str, Any] = {"point": files.number_column(rows.numbers)}
    columns["status"] = word_array(files.arrow, [Status.EVALUATED.value], all_the_same)
    columns["schedule"] = word_array(files.arrow, rows.schedules.values, rows.schedules.codes)
    for path, picked in rows.inputs.items():
        if path != SCHEDULE:
            columns[path] = files.input_column(path, picked.values, picked.codes)
    for name, values in zip(files.objectives, rows.objectives.T, strict=True):
        columns[name] = number_array(files.arrow, values)
    for workload, figures in rows.outputs.items():
        for name in sorted(figures):
            columns[files.figure_name(workload, name)] = _figure(files, figures[name])
    columns["executor"] = word_array(files.arrow, [rows.executor], all_the_same)
    columns |= files.reason_columns([None], all_the_same)
    columns["key"] = files.key_column([digest[:KEY_BYTES] for digest in rows.digests])
    return files.table_of(columns)


def _figure(files: PartFiles, column: Column) -> Any:  # noqa: ANN401
    if isinstance(column.of, Picked):
        return files.figure_column(column.of.values, column.of.codes)
    return number_array(files.arrow, column.of.astype(np.float64))
