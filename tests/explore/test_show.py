"""A point of an exploration that is shown is computed anew, with the figures that the exploration had."""

import json
from pathlib import Path

import pytest

from archsim.errors import OutputError
from archsim.explore import Space, Status, explore
from archsim.explore.results.shown_point import point_json, point_text
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


def test_what_cannot_be_shown_is_one_line(write: Write, tmp_path: Path) -> None:
    out = tmp_path / "out"
    explore(Space.load(write()).with_budget(1), out=out, workers=1)
    with pytest.raises(OutputError, match="has no point 48; its space has points 0 to 47"):
        show_point(out, 48)
    with pytest.raises(OutputError, match="cannot be read"):
        show_point(tmp_path, 0)
    setup = out / "exploration.json"
    text = setup.read_text()
    for forged in ("[]", "3", '{"archsim": "0", "setup": "[]"}', text.replace("4 * mac", "import mac"), text[:-9]):
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
