"""Makes a part's Parquet file and reads it: a row a point, with inputs, objectives, declared figures and reasons.

Inputs stand there for whoever reads the file; here they follow from the point's number. Numbers are 64-bit floats, but
for inputs that are whole in all points. Rows are in the order in which the sampler asked for them, so that the bytes do
not depend on who evaluated them and when.
"""

from __future__ import annotations

import io
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from archsim.api.batch.columns import Codes
from archsim.errors import OutputError
from archsim.explore.parts.part_columns import floats_of, keys_of, numbers_of, statuses_of
from archsim.explore.parts.part_rows import KEY_BYTES, Numbers, PartRows, key_bytes, key_words, violations
from archsim.explore.results.arrow_arrays import flag_array, key_array, number_array, word_array
from archsim.explore.results.study import Point, Status
from archsim.explore.run.declared import Declared
from archsim.explore.run.outcome import Kind, Outcome
from archsim.explore.run.output_table import Output
from archsim.explore.search.front import Values
from archsim.explore.space.design import Reason
from archsim.explore.space.expression import Scalar
from archsim.explore.space.parameters import SCHEDULE
from archsim.explore.space.space import Space

_WORD = 1 << 63
_REASON = ("reason", "reason_what", "reason_need", "reason_have", "reason_unit")
_BEGIN = ("point", "status", "schedule")
_END = ("executor", *_REASON, "key")


def pyarrow() -> tuple[Any, Any]:
    """The modules pyarrow and pyarrow.parquet; OutputError if they are missing."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ModuleNotFoundError:
        raise OutputError(
            'so many points are kept as Parquet, which needs pyarrow: pip install "archsim[explore]", or a smaller '
            "--budget"
        ) from None
    return pa, pq


class PartFiles:
    """The form of the parts of one space."""

    def __init__(self, space: Space, declared: Declared) -> None:
        self.space, self.declared = space, declared
        self.derived = frozenset(path for path, _ in space.derived)
        self.objectives = tuple(f"objective {objective.name}" for objective in space.objectives)
        workloads = [use.workload.name for use in space.workloads]
        self._prefixes = {name: f"{name}:" if len(workloads) > 1 else "" for name in workloads}
        self.arrow, self._pq = pyarrow()

    def write(self, points: Sequence[Point], keys: Mapping[int, str]) -> bytes:
        """The file of some points; `keys`: of those that were evaluated, by number."""
        return self.written(self.table_of_points(points, keys))

    def table_of_points(self, points: Sequence[Point], keys: Mapping[int, str]) -> Any:  # noqa: ANN401 pyarrow has no types
        """The table of some points, as `write` takes them."""
        columns: dict[str, Any] = {"point": self.number_column([point.number for point in points])}
        columns["status"] = self.word_column([point.status.value for point in points])
        columns["schedule"] = self.word_column([point.schedule for point in points])
        for path in dict.fromkeys(name for point in points for name in point.inputs if name != SCHEDULE):
            columns[path] = self.input_column(path, [point.inputs.get(path) for point in points])
        for place, name in enumerate(self.objectives):
            values = [point.objectives[place] if point.objectives else None for point in points]
            columns[name] = _floats(self.arrow, values)
        for workload in self._prefixes:
            found = [(point.outputs or {}).get(workload, {}) for point in points]
            for name in sorted({name for outputs in found for name in outputs}):
                columns[self.figure_name(workload, name)] = self.figure_column([of.get(name) for of in found])
        columns["executor"] = self.word_column([point.executor or None for point in points])
        columns |= self.reason_columns([point.reason for point in points])
        begins = [keys.get(point.number) for point in points]
        columns["key"] = self.key_column([None if key is None else key_bytes(key) for key in begins])
        return self.table_of(columns)

    def table_of(self, columns: Mapping[str, Any]) -> Any:  # noqa: ANN401
        """The table of some columns."""
        return self.arrow.Table.from_arrays(list(columns.values()), names=list(columns))

    def written(self, table: Any) -> bytes:  # noqa: ANN401
        """The file of a table."""
        buffer = io.BytesIO()
        self._pq.write_table(table, buffer, compression="zstd", write_statistics=False)
        return buffer.getvalue()

    def column_order(self, names: Collection[str]) -> list[str]:
        """The names of a file's columns in the order in which they stand there."""
        paths = [*(p.path for p in self.space.parameters), *(path for path, _ in self.space.derived)]
        inputs = [path for path in dict.fromkeys(paths) if path in names and path != SCHEDULE]
        taken = {*_BEGIN, *inputs, *self.objectives, *_END}
        figures = [
            name
            for prefix in self._prefixes.values()
            for name in sorted(set(names) - taken)
            if name.startswith(prefix) and self.declared.has(name.removeprefix(prefix))
        ]
        return [*_BEGIN, *inputs, *self.objectives, *dict.fromkeys(figures), *_END]

    def table(self, data: bytes, columns: list[str] | None = None) -> Any:  # noqa: ANN401 pyarrow has no types
        """The columns of a file, in its order, all if they are not named; an error of any kind if it is none."""
        return self._pq.ParquetFile(self.arrow.BufferReader(data)).read(columns=columns, use_threads=False)

    def read_rows(self, data: bytes) -> PartRows:
        """What the search needs of a part's points; an error of any kind if the file is none."""
        table = self.table(data, ["point", "status", *self.objectives, "reason_need", "reason_have", "key"])
        statuses = statuses_of(table)
        far = violations(statuses, floats_of(table, "reason_need"), floats_of(table, "reason_have"))
        return PartRows(self.numbers_in(table), statuses, self.objectives_in(table), far, keys_of(table))

    def numbers_in(self, table: Any) -> Numbers:  # noqa: ANN401
        """The numbers of the points of a table."""
        return numbers_of(table, self.space.size)

    def objectives_in(self, table: Any) -> Values:  # noqa: ANN401
        """The objectives (N, M) of the points of a table; nan where there are none."""
        return np.stack([floats_of(table, name) for name in self.objectives], axis=1)

    def read_points(self, data: bytes, places: Sequence[int]) -> list[Point]:
        """Some of the points of a part, in that order."""
        table = self.table(data).take(list(places))
        columns = {name: table[name].to_pylist() for name in table.column_names}
        designs = self.space.designs([int(number) for number in columns["point"]])
        outputs = self._outputs(columns, len(designs))
        points: list[Point] = []
        for row, design in enumerate(designs):
            status = Status(columns["status"][row])
            values = tuple(columns[name][row] for name in self.objectives)
            kind, what, need, have, unit = (columns[name][row] for name in _REASON)
            reason = None if kind is None else Reason(kind, what, need, have, unit)
            found = outputs[row] if columns["key"][row] is not None else None
            points.append(
                Point(
                    *(design.number, design.inputs, design.schedule, status),
                    *(values if status is Status.EVALUATED else None, found, columns["executor"][row] or "", reason),
                )
            )
        return points

    def read_outcomes(self, data: bytes) -> dict[str, Outcome]:
        """The outcomes of the designs of a part by their keys, but for those that failed."""
        places = [place for place, key in enumerate(self.table(data, ["key"])["key"].to_pylist()) if key is not None]
        points = self.read_points(data, places)
        keys = [design.key for design in self.space.designs([point.number for point in points])]
        having = zip(keys, points, strict=True)
        return {key: outcome_of(key, point) for key, point in having if point.status is not Status.FAILED}

    def check_designs(self, data: bytes, rows: PartRows, place: int) -> None:
        """OutputError if a part's designs are not those that the space has now, as after a change of a technology.

        Looks at one design for each value of each parameter, and each word that a derived field is.
        """
        evaluated = np.flatnonzero(rows.keys.any(axis=1))
        paths = {p.path for p in self.space.parameters} | {path for path, _ in self.space.derived}
        schema = self._pq.read_schema(self.arrow.BufferReader(data))
        varied = {p.path for p in self.space.parameters}
        columns = [path for path in sorted(paths) if path in varied or str(schema.field(path).type) == "string"]
        witnesses: set[int] = set()
        for column in self.table(data, columns).columns:
            values = np.array(list(map(str, column.to_pylist())))[evaluated]
            witnesses.update(evaluated[np.unique(values, return_index=True)[1]].tolist())
        ordered = sorted(witnesses)
        designs = self.space.designs([int(rows.numbers[row]) for row in ordered])
        if not (key_words([design.key for design in designs]) == rows.keys[ordered]).all():
            raise OutputError(
                f"part {place} was explored with other numbers than the technology has now; choose another --out"
            )

    def read_reasons(self, data: bytes) -> list[tuple[int, Status, Reason | None]]:
        """The number and status of each point, and the reason why it has no figures."""
        table = self.table(data, ["point", "status", *_REASON])
        rows = zip(*(table[name].to_pylist() for name in ("point", "status", *_REASON)), strict=True)
        return [
            (int(number), Status(status), None if reason[0] is None else Reason(*reason))
            for number, status, *reason in rows
        ]

    def _outputs(self, columns: Mapping[str, list[Any]], count: int) -> list[dict[str, dict[str, Output]]]:
        found: list[dict[str, dict[str, Output]]] = [
            {workload: {} for workload in self._prefixes} for _ in range(count)
        ]
        for workload, prefix in self._prefixes.items():
            for name, values in columns.items():
                figure = name.removeprefix(prefix)
                if name.startswith(prefix) and self.declared.has(figure):
                    for row, value in enumerate(values):
                        if value is not None:
                            found[row][workload][figure] = value
        return found

    def figure_name(self, workload: str, figure: str) -> str:
        """The name of the column of a figure."""
        return f"{self._prefixes[workload]}{figure}"

    def number_column(self, numbers: Sequence[int]) -> Any:  # noqa: ANN401
        """The numbers of points."""
        if self.space.size < _WORD:
            return number_array(self.arrow, np.array(numbers, np.int64))
        return word_array(self.arrow, list(map(str, numbers)))

    def word_column(self, words: Sequence[str | None]) -> Any:  # noqa: ANN401
        """A column of words."""
        return word_array(self.arrow, words)

    def figure_column(self, values: Sequence[Output], codes: Codes | None = None) -> Any:  # noqa: ANN401
        """A column of a figure; `codes`: which of the values each point has, by default each its own."""
        if any(isinstance(value, str) for value in values):
            return _words(self.arrow, values, codes)
        return _floats(self.arrow, values, codes)

    def key_column(self, keys: Sequence[bytes | None]) -> Any:  # noqa: ANN401
        """The beginnings of keys."""
        return key_array(self.arrow, keys, KEY_BYTES)

    def reason_columns(self, reasons: Sequence[Reason | None], codes: Codes | None = None) -> dict[str, Any]:
        """The columns of reasons; `codes` as in `figure_column`."""
        pa = self.arrow
        return {
            "reason": _words(pa, [reason and reason.kind for reason in reasons], codes),
            "reason_what": _words(pa, [reason and reason.what for reason in reasons], codes),
            "reason_need": _floats(pa, [reason and reason.need for reason in reasons], codes),
            "reason_have": _floats(pa, [reason and reason.have for reason in reasons], codes),
            "reason_unit": _words(pa, [reason and reason.unit for reason in reasons], codes),
        }

    def input_column(self, path: str, values: Sequence[Scalar | None], codes: Codes | None = None) -> Any:  # noqa: ANN401
        """An input, as `figure_column`; of a parameter its type follows from the space: all parts have the same one."""
        labels = [choice.label for p in self.space.parameters if p.path == path for choice in p.choices]
        kinds = {type(label) for label in labels or values if label is not None}
        whole = all(isinstance(label, int) and -_WORD <= label < _WORD for label in labels)
        if labels and kinds == {int} and whole:
            return _each(self.arrow, values, np.int64, codes)
        if labels and kinds == {bool}:
            return _truths(self.arrow, values, codes)
        return self.figure_column(values, codes) if kinds <= {int, float} else _words(self.arrow, values, codes)


def outcome_of(key: str, point: Point) -> Outcome:
    """The outcome that a point was made of. An executor is named of those that have figures alone."""
    if not point.executor:
        return Outcome(key, Kind.INFEASIBLE, {}, reason=point.reason)
    return Outcome(key, Kind.DONE, point.outputs or {}, point.executor)


def _floats(pa: Any, values: Sequence[Any], codes: Codes | None = None) -> Any:  # noqa: ANN401
    return _each(pa, values, np.float64, codes)


def _each(pa: Any, values: Sequence[Any], kind: type[np.number[Any]], codes: Codes | None) -> Any:  # noqa: ANN401
    valid = np.array([value is not None for value in values], np.bool_)
    found = np.array([0 if value is None else value for value in values], kind)
    return number_array(pa, found, valid) if codes is None else number_array(pa, found[codes], valid[codes])


def _truths(pa: Any, values: Sequence[Any], codes: Codes | None) -> Any:  # noqa: ANN401
    found = np.array([[value is not None, value is True] for value in values], np.bool_).reshape(-1, 2)
    valid, truths = (found if codes is None else found[codes]).T
    return flag_array(pa, truths, valid)


def _words(pa: Any, values: Sequence[Any], codes: Codes | None = None) -> Any:  # noqa: ANN401
    return word_array(pa, [None if value is None else str(value) for value in values], codes)
