"""What is exported fits the JSON schemas that ship with archsim, of every family; the schemas name every field."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import pytest

from tests.export.exports import exported_program, exported_trace
from tests.optional import need
from tests.rings import few

TABLE = ("formats=tflite_int8", "activation.method=table")

PROGRAMS = [
    ("edge_16x16", "lstm:9,7,t=3", None),
    (
        "edge_16x16",
        "gru:9,7,t=3,layers=2",
        "fused_interleaved_wavefront",
        "formats=float32",
        "activation.method=polynomial",
    ),
    (
        "edge_16x16",
        "lstm:9,7,t=4",
        "hoisted_interleaved",
        "formats=float32",
        "formats.weight=bfp9",
        "activation.method=exact",
    ),
    (
        "edge_16x16",
        "lstm:9,7,t=3,b=2",
        "fused_streamed",
        *TABLE,
        "sequence_lens=[3,2]",
        "weight_sram.capacity_bytes=3KiB",
    ),
    ("edge_16x16", "lstm:9,7,t=3", None, "state_buffer.ports=1RW", "state_buffer.banks=one", "peepholes=true"),
    (
        "edge_16x16",
        "rnn:9,7,t=3",
        None,
        "activation.method=piecewise_linear",
        "activations=[{name: affine, alpha: 0.5, beta: 0.1}]",
    ),
    ("edge_16x16", "lstm:9,7,t=3", None, "activation.method=exact", "clip=0.5"),
    ("cloud_256x256", "lstm:9,7,t=3", None),
    ("tpu_v1", "gru:9,7,t=3", None, *TABLE),
    ("tpu_v1", "lstm:9,7,t=3", None),
    ("npu_s10nx", "gru:9,7,t=3", None, "mfu.method=table"),
    ("npu_s10nx", "lstm:9,7,t=3", None),
    ("brainwave_s10", "lstm:9,7,t=3", None),
]


def schema(name: str) -> dict[str, Any]:
    """A schema that ships, in which every object has the named fields and no others."""
    text = (files("archsim.export") / "schema" / f"{name}.schema.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    need("jsonschema").Draft202012Validator.check_schema(found)
    _close(found)
    return found


def _close(schema: object) -> None:
    if isinstance(schema, list):
        for item in schema:
            _close(item)
    elif isinstance(schema, dict):
        if "properties" in schema:
            schema.setdefault("additionalProperties", False)
        for item in list(schema.values()):
            _close(item)


def errors(found: dict[str, Any], name: str) -> list[str]:
    """What a schema says against a document."""
    validator = need("jsonschema").Draft202012Validator(schema(name))
    return [f"{error.json_path}: {error.message[:300]}" for error in validator.iter_errors(found)]


@pytest.mark.parametrize("case", few(((case,) for case in PROGRAMS), 6))
def test_programs_fit(case: tuple[str, ...]) -> None:
    arch, workload, schedule, *sets = case
    assert errors(exported_program(arch, workload, schedule, *sets, with_contents=True), "program") == []


def test_a_program_without_numbers_fits() -> None:
    assert errors(exported_program("edge_16x16", "lstm:9,7,t=3", None, timing_only=True), "program") == []


@pytest.mark.parametrize("arch", ["edge_16x16", "tpu_v1", "npu_s10nx"])
def test_traces_fit(arch: str) -> None:
    assert errors(exported_trace(arch, "lstm:5,4,t=2", None), "trace") == []


def test_what_does_not_fit() -> None:
    """A field less, a field of another type, a field more, an unknown definition: each is one error in its place."""
    program = exported_program("edge_16x16", "lstm:3,2,t=2", None)
    del program["steps"]
    program["tokens"][0]["most"] = "2"
    program["buffers"][1]["colour"] = "red"
    program["ops"][0]["arithmetic"]["definition"] = "guess"
    found = sorted(errors(program, "program"))
    assert [error.split(":")[0] for error in found] == [
        "$.buffers[1]",
        "$.ops[0].arithmetic",
        "$.tokens[0].most",
        "$",
    ]
