"""`archsim validate --witness`: the user's own model runs beside archsim's, and what it gives is compared."""

import json
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Cli

TINY = ("tiny_2x2", "lstm_3_2_t4")
INTEGER = ("--set", "formats=tflite_int8", "--set", "activation.method=exact")

MODEL = """
import numpy as np

def sigmoid(v):
    return 1 / (1 + np.exp(-v))

def lstm(t, forget=1.0):
    h, c = t["h_0_l0"].astype(float), t["c_0_l0"].astype(float)
    outputs, cells = [], []
    for x in t["input"]:
        sums = x @ t["weight_ih_l0"].T + h @ t["weight_hh_l0"].T + t["bias_ih_l0"] + t["bias_hh_l0"]
        i, f, g, o = np.split(sums, 4, axis=1)
        c = forget * sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        outputs.append(h)
        cells.append(c)
    return {"output": np.stack(outputs), "h_n": h[None], "c_l0": np.stack(cells)}

def wrong(t):
    return lstm(t, forget=0.9)

def raises(t):
    raise ValueError("no such gate")

def gives_nothing(t):
    return None

def gives_text(t):
    return {"output": np.array(["a"])}

def one_code(t):
    '''The first step on the machine's own integers, in Python's: docs/numerics.md, with exact functions.'''
    def mul(v, ratio):
        m, e = np.frexp(ratio)
        m = int(np.floor(m * 2**31 + 0.5))
        u = (v * m * 2**max(e, 0) + 2**30) // 2**31
        right = max(-e, 0)
        return int(np.sign(u)) * ((abs(u) + (2**right >> 1)) // 2**right)
    units = t["h_0_l0"].shape[1]
    x = [int(v) - int(t["input_zero"]) for v in t["input_codes"][0, 0]]
    h = [round(-0.0 / float(t["h_l0_scale"]))] * units
    w, s = t["weight_ih_l0_codes"], np.broadcast_to(t["weight_ih_l0_scale"], (4 * units,))
    bias = t["bias_ih_l0"].astype(float) + t["bias_hh_l0"]
    cells = []
    for unit in range(units):
        gates = {}
        for place, name in enumerate("ifgo"):
            row = place * units + unit
            product = float(s[row]) * float(t["input_scale"])
            start = bias[row] / product
            total = int(np.floor(abs(start) + 0.5)) * (1 if start >= 0 else -1)
            total += sum(int(a) * b for a, b in zip(w[row], x))
            z = max(-32768, min(32767, mul(total, product / 2.0**-12))) / 4096
            value = np.tanh(z) if name == "g" else sigmoid(z)
            gates[name] = max(-32768, min(32767, int(np.sign(value)) * int(np.floor(abs(value) * 32768 + 0.5))))
        shift = 30 + int(np.log2(t["c_l0_scale"]))
        ig = gates["i"] * gates["g"]
        cells.append(int(np.sign(ig)) * ((abs(ig) + (2**shift >> 1)) >> shift))
    found = np.zeros((4, 1, units), np.int64)
    found[0, 0] = cells
    return {"first": np.array(cells), "c_codes": found}
"""


@pytest.fixture
def model(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a module in the current folder; each test has its own."""
    name = f"model_{Path.cwd().name}".replace("-", "_")
    Path(f"{name}.py").write_text(MODEL)
    return name


def test_a_function(cli: Cli, model: str) -> None:
    run = cli("validate", *TINY, "--witness", f"{model}:lstm")
    assert (run.code, run.err) == (0, "")
    for name in ("output", "h_n", "c_l0"):
        assert f"ok   {name} against your model: max error" in run.out
    assert run.out.splitlines()[-1] == "VALID: the schedule, and the numbers within the bound"


def test_a_function_that_is_not_the_machine(cli: Cli, model: str) -> None:
    run = cli("validate", *TINY, "--witness", f"{model}:wrong")
    assert run.code == 1
    assert "FAIL c_l0 against your model" in run.out
    assert "first difference: step 1, sequence 0, unit" in run.out, "the first step has no c to forget"
    assert run.out.splitlines()[-1] == "NOT VALID"
    assert cli("validate", *TINY, "--witness", f"{model}:wrong", "--tolerance", "0.5").code == 0


@pytest.mark.parametrize("places", ["", " {outputs} {inputs}"])
def test_a_command(cli: Cli, model: str, places: str) -> None:
    order = "sys.argv[2], sys.argv[1]" if places else "sys.argv[1], sys.argv[2]"
    Path("run.py").write_text(
        f"import sys, numpy as np, {model} as m\nsource, target = {order}\n"
        "given = m.lstm(dict(np.load(source)))\nnp.savez(target, **given)\n"
    )
    run = cli("validate", *TINY, "--witness", f"{sys.executable} run.py{places}", "--json")
    verdict = json.loads(run.out)
    assert (run.code, verdict["verdict"]) == (0, "valid")
    assert [check["name"] for check in verdict["checks"] if check["reference"] == "your model"] == [
        "output",
        "h_n",
        "c_l0",
    ]


def test_on_integers(cli: Cli, model: str) -> None:
    """A model in floating point is held against the golden model; a tolerance holds the machine to it."""
    run = cli("validate", *TINY, *INTEGER, "--witness", f"{model}:lstm")
    assert run.code == 0
    assert "ok   the golden model's output against your model" in run.out
    assert cli("validate", *TINY, *INTEGER, "--witness", f"{model}:wrong").code == 1
    assert cli("validate", *TINY, *INTEGER, "--witness", f"{model}:lstm", "--tolerance", "0.2").code == 0
    assert cli("validate", *TINY, *INTEGER, "--witness", f"{model}:lstm", "--within-codes", "0").code == 1


def test_codes_of_the_first_step(cli: Cli, model: str) -> None:
    """What the model gets are the machine's own codes and scales: c after the first step comes out bit for bit.

    Later steps are not in this model, so that the first difference must be in step 1.
    """
    run = cli("validate", *TINY, *INTEGER, "--witness", f"{model}:one_code", "--json")
    verdict = json.loads(run.out)
    (check,) = (check for check in verdict["checks"] if check["reference"] == "your model")
    assert (check["name"], check["first"]["step"]) == ("c_codes", 1)
    assert verdict["not_compared"] == [
        "first: no result that a run has; name those to compare in expected.tensors, or rename them"
    ]


@pytest.mark.parametrize(
    ("witness", "message"),
    [
        ("{model}:raises", "failed: ValueError: no such gate"),
        ("{model}:missing", "failed: AttributeError"),
        ("no_such_module:f", "failed: ModuleNotFoundError"),
        ("{model}:gives_nothing", "gave a NoneType, expected a dict of arrays by name"),
        ("{model}:gives_text", "gave output as <U1, expected numbers"),
        ("no-such-command at all", "cannot be started: No such file or directory"),
        ("false", "ended with 1: nothing on stderr"),
        ("true", "wrote no file of results"),
        ("'", "cannot be read as a command: No closing quotation"),
    ],
)
def test_a_witness_that_fails(cli: Cli, model: str, witness: str, message: str) -> None:
    run = cli("validate", *TINY, "--witness", witness.format(model=model))
    assert (run.code, run.out) == (2, "")
    assert message in run.err
    assert len(run.err.splitlines()) == 1


def test_a_tolerance_without_a_witness(cli: Cli) -> None:
    run = cli("validate", *TINY, "--tolerance", "0.1")
    assert (run.code, run.err) == (
        2, "archsim: error: --tolerance: is for --witness; that of a file is --set expected.tolerance=...\n"
    )  # fmt: skip
