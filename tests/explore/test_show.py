"""A point of an exploration that is shown is computed anew, with the figures that the exploration had."""

import json
from pathlib import Path

import pytest

from archsim.errors import OutputError
from archsim.explore import Space, Status, explore
from archsim.explore.results.shown_point import point_json, point_text
from archsim.explore.results.table import points_table
from archsim.explore.run.show import show_point
from tests.explore.conftest import Write


def test_a_point_is_shown_with_every_figure(write: Write, tmp_path: Path) -> None:
    out = tmp_path / "out"
    study = explore(Space.load(write()), out=out, workers=1)
    evaluated = next(point for point in study.points if point.status is Status.EVALUATED)
    found = show_point(out, evaluated.number)
    assert found.outcome is not None
    assert found.outcome.outputs == {name: dict(outputs) for name, outputs in (evaluated.outputs or {}).items()}
    assert found.inputs == evaluated.inputs
    data = json.loads(point_json(found))
    (figures,) = data["outputs"].values()
    assert figures["body_us"] == evaluated.objectives[0]  # type: ignore[index]
    assert (data["status"], data["reason"]) == ("evaluated", None)
    assert f"Point {evaluated.number}: schedule {evaluated.schedule}" in point_text(found)
    too_small = next(p for p in study.points if p.reason is not None and p.reason.kind == "capacity")
    shown = json.loads(point_json(show_point(out, too_small.number)))
    assert shown["status"] == "infeasible"
    assert shown["reason"] == too_small.reason.what  # type: ignore[union-attr]


def test_a_point_that_breaks_a_constraint_is_infeasible_as_in_the_exploration(write: Write, tmp_path: Path) -> None:
    """Over fields alone and over results: the figures are shown all the same."""
    out = tmp_path / "out"
    study = explore(
        Space.load(write(("constraints:\n", "constraints:\n  - latency_cycles <= 150\n"))), out=out, workers=1
    )
    broken = {p.reason.what: p for p in study.points if p.reason is not None and p.reason.kind == "constraint"}
    assert set(broken) == {"mac_array.rows * mac_array.columns <= 64", "latency_cycles <= 150"}
    for what, point in broken.items():
        shown = show_point(out, point.number)
        data = json.loads(point_json(shown))
        assert (data["status"], data["reason"]) == ("infeasible", what)
        assert data["outputs"]["lstm_3_4_t3_b1"]["latency_cycles"] > 0
        assert shown.reason == point.reason
        assert f"infeasible: constraint {what}: needs " in point_text(shown)
    other = tmp_path / "other"
    explore(
        Space.load(write(("constraints:\n", "constraints:\n  - sqrt(mac_array.rows - 3) > 0\n"))), out=other, workers=1
    )
    assert "infeasible: constraint sqrt(mac_array.rows - 3) > 0: " in point_text(show_point(other, 0))


def test_a_point_whose_objective_is_undefined_is_infeasible_as_in_the_exploration(write: Write, tmp_path: Path) -> None:
    out = tmp_path / "out"
    space = Space.load(write(("minimize: body_us", "minimize: 1 / (mac_array.rows - 4)")))
    study = explore(space, out=out, workers=1)
    undefined = [p for p in study.points if p.reason is not None and p.reason.kind == "objective"]
    assert undefined
    for point in undefined:
        shown = show_point(out, point.number)
        assert shown.reason == point.reason
        data = json.loads(point_json(shown))
        assert (data["status"], data["reason"]) == (
            "infeasible",
            "1 / (mac_array.rows - 4): division by zero",
        )
        assert data["outputs"]["lstm_3_4_t3_b1"]["latency_cycles"] > 0
    others = [p for p in study.points if p.status is Status.EVALUATED]
    assert show_point(out, others[0].number).reason is None


def test_figures_of_a_stream_say_which_are_of_a_cold_start(write: Write, tmp_path: Path) -> None:
    """Under the names that they have in points.csv."""
    out = tmp_path / "out"
    space = Space.load(
        write(('"lstm:3,4,t=3"', '"lstm:3,4,t=3,streaming=1"'), ("minimize: body_us", "minimize: latency"))
    )
    study = explore(space, out=out, workers=1)
    evaluated = next(point for point in study.points if point.status is Status.EVALUATED)
    shown = show_point(out, evaluated.number)
    (figures,) = json.loads(point_json(shown))["outputs"].values()
    assert set(figures) <= set(points_table(study, study.points).columns)
    assert "cold start latency_us" in figures
    assert "latency_us" not in figures
    assert figures["frame_latency_us"] == evaluated.objectives[0]  # type: ignore[index]
    assert "\n  cold start energy.total_uj " in point_text(shown)


def with_machine(text: str, data: str) -> str:
    """What a folder says of its space with other data of the machine, three levels of JSON below."""
    kept = json.loads(text)
    setup = json.loads(kept["setup"])
    setup[1] = json.dumps([data, *json.loads(setup[1])[1:]])
    return json.dumps(kept | {"setup": json.dumps(setup)})


def test_what_cannot_be_shown_is_one_line(write: Write, tmp_path: Path) -> None:
    out = tmp_path / "out"
    explore(Space.load(write()).with_budget(1), out=out, workers=1)
    with pytest.raises(OutputError, match="has no point 48; its space has points 0 to 47"):
        show_point(out, 48)
    with pytest.raises(OutputError, match="cannot be read"):
        show_point(tmp_path, 0)
    setup = out / "exploration.json"
    text = setup.read_text()
    for forged in (
        "[]",
        "3",
        '{"archsim": "0", "setup": "[]"}',
        text.replace("4 * mac", "import mac"),
        text[:-9],
        text.replace("<= 64", "<= import"),
        text.replace('"constraints": [', '"constraints": [3, '),
        text.replace('"objectives": [', '"objectives": [3, '),
        text.replace('"aggregate": "', '"aggregate": "un'),
        text.replace('"weights": [', '"weights": [1, '),
        text.replace('"weights": [', '"weights": [-'),
        with_machine(text, "{"),
        with_machine(text, "3"),
        with_machine(text, "{}"),
        with_machine(text, '{"family": "nope"}'),
        with_machine(text, '{"family": []}'),
    ):
        setup.write_text(forged)
        with pytest.raises(OutputError, match="does not say what was explored"):
            show_point(out, 0)


def test_the_command_line(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from archsim.cli.main import main

    def run(*arguments: str) -> tuple[object, str, str]:
        monkeypatch.setattr("sys.argv", ["archsim", "explore", *arguments])
        with pytest.raises(SystemExit) as caught:
            main()
        return (caught.value.code, *capsys.readouterr())

    explore(Space.load(write()).with_budget(1), out=tmp_path / "out", workers=1)
    code, printed, _ = run("show", str(tmp_path / "out"), "0", "--json")
    assert (code, json.loads(printed)["point"]) == (0, 0)
    for wrong in (("show", "x", "y"), ("edge", "x", "1"), ("show", "x"), ("show", "x", "1" * 5000)):
        code, _, said = run(*wrong)
        assert (code, len(said.splitlines())) == (2, 1)
        assert "expected one SPACE, or show DIR POINT" in said
