"""JSON that is printed or saved: indented by two, an object's fields in their order, and what it is made of."""

from __future__ import annotations

import json

from archsim.api.change import Change, Measured, Setting
from archsim.api.compare import Comparison, Difference
from archsim.api.compare import Row as DesignRow
from archsim.api.outcome import Outcome
from archsim.api.verdict import Verdict
from archsim.export.whatif_json import write_what_if
from archsim.fidelity import Row
from archsim.report.files.manifest import Manifest, manifest_json
from archsim.report.text.compare_tables import as_json
from archsim.report.text.fidelity_text import fidelity_json
from archsim.report.text.validate_text import verdict_json
from tests.report.parts import thing


def test_every_field_has_a_line_two_places_further_in_than_its_object() -> None:
    manifest = Manifest(
        archsim="1", numpy="2", schedule="s", timing_only=False, executor="auto", command=("a", "b"), inputs={"x": "y"}
    )
    pieces: list[str] = []
    change = Measured(Change((Setting("mac_array", "rows", 8),)), Outcome(900, 112.5, None, 4.0))
    write_what_if(thing(before=None, changes=(change,)), pieces.append)
    texts = [
        manifest_json(manifest), "".join(pieces), as_json(Comparison((), (), (DesignRow("a", "w", "s"),))),
        verdict_json(Verdict("a", "w", "s", 1, 2, (), 0, 0, (), 1e-5, "", (), None, None)),
        fidelity_json([Row("m", "w", "f", "us", 2.0, 3.0, None, "s", "i", "p")]),
    ]  # fmt: skip
    for text in texts:
        assert text.rstrip("\n") == json.dumps(json.loads(text), indent=2)
        assert text.splitlines()[1].startswith("  "), text


def test_a_comparison_as_json_has_differences_rows_and_notes() -> None:
    found = Comparison(
        (Difference("x", {"a": "1", "b": "2"}),), (Difference("y", {"v": "3"}),),
        (DesignRow("a", "w", "s", latency_us=2.5),),
        ("z=1",), ("a note",),
    )  # fmt: skip
    data = json.loads(as_json(found))
    assert data["machines"] == [{"field": "x", "values": {"a": "1", "b": "2"}}]
    assert data["workloads"] == [{"field": "y", "values": {"v": "3"}}]
    assert (data["overrides"], data["notes"]) == (["z=1"], ["a note"])
    assert (data["rows"][0]["arch"], data["rows"][0]["latency_us"], data["rows"][0]["energy_uj"]) == ("a", 2.5, None)


def test_a_verdict_as_json_begins_with_its_outcome() -> None:
    data = json.loads(verdict_json(Verdict("a", "w", "s", 1, 2, ("h",), 0, 0, (), 1e-5, "why", (), None, None)))
    assert list(data)[:2] == ["verdict", "passed"]
    assert (data["verdict"], data["passed"], data["hazards"], data["not_judged"]) == ("not_valid", False, ["h"], "why")


def test_rows_of_fidelity_as_json_have_their_errors() -> None:
    """From 2 to 3 us are 50 %; without a tolerance nothing has passed or failed."""
    rows = [Row("m", "w", "f", "us", 2.0, 3.0, tolerance, "s", "i", "p") for tolerance in (None, 50.0, 49.0)]
    found = json.loads(fidelity_json(rows))
    assert [(row["error"], row["error_unit"], row["passed"]) for row in found] == [
        (50.0, "%", None), (50.0, "%", True), (50.0, "%", False),
    ]  # fmt: skip
