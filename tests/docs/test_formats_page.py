"""docs/formats.md: rows of its tables computed again, and the numbers of its prose found in the tables."""

import re
from pathlib import Path

import pytest

from tests.importers.trained_models import Unavailable
from tests.optional import need, skip
from tests.rings import exhaustive
from tools.docs import DOCS, formats_models, formats_rows, formats_table
from tools.docs.formats_figure import draw

PAGE = (DOCS / "formats.md").read_text(encoding="utf-8")
PRINTED = {name: formats_table.read(text) for name, text in formats_table.tables_of(PAGE).items()}
SOME = {
    "silero_vad": [
        ("floating point", "bfp8"),
        ("tflite_int8: scales of weights, calibration", "row, max"),
        ("qM.N for all", "q4.12, tables"),
        ("activation, all others int16", "16 segments"),
    ],
    "Resemblyzer": [("qM.N for all", "q4.12"), ("tflite_int8: scales of weights, calibration", "gate, percentile")],
    "uzmorph-nn": [("intN", "int5"), ("activation, all others int16", "table 64, linear")],
}


def made(name: str, folder: Path) -> formats_models.Model:
    """The model; a skipped test without torch or the wheel."""
    if name != "silero_vad":
        need("torch")
    try:
        return formats_models.MODELS[name](folder, None)
    except Unavailable as missing:
        skip(str(missing))


@exhaustive
@pytest.mark.parametrize("name", SOME)
def test_rows_are_what_the_machine_computes(name: str, tmp_path: Path) -> None:
    model = made(name, tmp_path)
    rows = {(row.group, row.name): row for row in formats_rows.rows(model)}
    assert list(rows) == list(PRINTED[name]), "run: python -m tools.docs.formats_table"
    largest = PRINTED[formats_table.LARGEST]["", name]
    assert all(cell.agrees(largest[kind]) for kind, cell in formats_rows.largest_cells(model).items())
    for key in SOME[name]:
        found = formats_rows.result(model, rows[key])
        assert found.passed is not False
        printed = PRINTED[name][key]
        assert found.cells.keys() == printed.keys()
        wrong = {column: cell.text for column, cell in found.cells.items() if not cell.agrees(printed[column])}
        assert wrong == {}, f"printed: {printed}; run: python -m tools.docs.formats_table"
        if key == ("qM.N for all", "q4.12"):
            overflows = PRINTED[formats_table.OVERFLOWS]["", name]
            assert {kind: f"{beyond:,} of {values:,}" for kind, beyond, values in found.overflows} == overflows


def test_a_figure_that_differs_is_found() -> None:
    cell = formats_rows.Cell("29.5", 29.4503, 1e-3)
    assert cell.agrees("29.5")
    assert cell.agrees("29.4"), "on the edge between two"
    assert not cell.agrees("29.6")
    assert not formats_rows.Cell("29.5", 29.46, 1e-3).agrees("29.4")
    assert not formats_rows.Cell("85").agrees("86")
    key = ("intN", "int8")
    made = {key: {"cycles/step": formats_rows.Cell("85"), "saturated": formats_rows.Cell("gate 2.6 %")}}
    text = formats_table.written(made)

    def differences(printed: str) -> list[str]:
        return formats_table.differences("some", made, formats_table.read(printed))

    assert differences(text) == []
    assert differences(text.replace("85", "84")) == ["some, intN, int8, cycles/step: 84 printed, 85 found"]
    assert differences(text.replace("int8", "int9")) == [
        "some: a row too many, ('intN', 'int9')",
        "some: no row ('intN', 'int8')",
    ]
    assert differences(text.replace("saturated", "clipped")) == ["some, ('intN', 'int8'): other columns"]


UNITS = {"dB": "SQNR", "cycles": "cycles/step", "%": "saturated", "degrees": "angle"}
"""Of a number in the prose, and the columns in which it must be found."""
COUNTED = {"frames": "frames of 310", "letters": "letters of 36"}


def printed_in(column: str) -> set[str]:
    """The words of all cells in columns whose titles begin so."""
    rows = [cells for table in PRINTED.values() for cells in table.values()]
    found = [text for cells in rows for title, text in cells.items() if title.startswith(column)]
    return {word for text in found for word in text.split()}


def test_numbers_of_the_prose_are_in_the_tables() -> None:
    prose = " ".join(formats_table.without_tables(PAGE).partition("## What the tables say")[2].split())
    for unit, column in UNITS.items():
        quoted = re.findall(rf"(-?\d[\d.,]*) {unit}(?!\w)", prose)
        allowed = {"0", "6"} if unit == "dB" else set()  # "below 0 dB", "about 6 dB a bit"
        assert quoted, unit
        assert set(quoted) - printed_in(column) - allowed == set(), unit
    for unit, column in COUNTED.items():
        _, of, total = column.split()
        quoted = re.findall(rf"(\d+) {of} {total} {unit}", prose)
        assert quoted, unit
        assert set(quoted) <= printed_in(column)
    overflows = re.findall(r"(\d[\d,]*) of (\d+,[\d,]*\d)", prose)
    assert len(overflows) == 2
    texts = {text for cells in PRINTED[formats_table.OVERFLOWS].values() for text in cells.values()}
    assert {" of ".join(pair) for pair in overflows} <= texts


@exhaustive
def test_the_picture_can_be_drawn(tmp_path: Path) -> None:
    pictures = []
    for place in range(2):
        draw({name: PRINTED[name] for name in SOME}, tmp_path / f"{place}.png")
        pictures.append((tmp_path / f"{place}.png").read_bytes())
    assert pictures[0] == pictures[1]
