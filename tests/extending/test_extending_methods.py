"""Activation methods from outside: the worked example of the docs, and every way in which one can be wrong."""

from __future__ import annotations

import importlib
import json
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from archsim.api import simulate
from archsim.checking.validation import Validation
from archsim.config import parse_override
from archsim.config.extensions import METHODS as GROUP
from archsim.config.presets import PresetKind, preset_file
from archsim.errors import ArchError, ExtensionError, ExtensionWarning
from archsim.families.load import Arch, load_arch
from archsim.formats import Encoding, NumberFormat, parse_format
from archsim.golden.functions import Activation
from archsim.golden.integer import Coded, Grid, Target
from archsim.golden.integer_functions import Exact, Method
from archsim.hardware.functions.method_definition import MethodDefinition
from archsim.hardware.functions.method_registry import METHODS, TABLE, all_methods, find_method
from archsim.hardware.functions.methods import Hard, address_format
from archsim.hardware.numerics import Overflows
from archsim.workload import load_workload
from archsim.workload.network import FunctionSpec
from tests.extending.entries import offered
from tests.extending.outside import check_section, install, run, section
from tests.rings import exhaustive, few

TITLE = "An activation method"
MINE = MethodDefinition("mine", "as archsim's hard one", lambda config, formats: Hard())


def machine(*sets: str, method: MethodDefinition | None = None) -> Arch:
    """tiny_2x2 in q4.12, with a method of the caller's own."""
    texts = ("formats=q4.12", *sets, *(() if method is None else (f"activation.method={method.name}",)))
    return load_arch("tiny_2x2", [parse_override(text) for text in texts], methods=() if method is None else (method,))


def verdict(method: MethodDefinition, *sets: str) -> Validation:
    """Of the smallest workload on that machine."""
    return simulate(machine(*sets, method=method), load_workload("lstm_3_2_t4")).validation


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The worked example, installed."""
    folder = tmp_path_factory.mktemp("outside")
    check_section("archsim_quadratic", TITLE, folder)
    return folder


def test_the_worked_example_and_a_run_of_what_it_saved(example: Path) -> None:
    """Its arch.yaml names the method, and is a machine like any other."""
    assert "method: quadratic" in (example / "results/arch.yaml").read_text()
    again = run("archsim run results/arch.yaml lstm_3_2_t4 --no-plots --out again", example)
    assert again.returncode == 0, again.stdout
    assert "PASSED: bit for bit equal to the integer reference" in again.stdout
    first, second = (json.loads((example / name / "stats.json").read_text()) for name in ("results", "again"))
    assert second == first | {"arch": "arch", "overrides": []}


@exhaustive
@pytest.mark.parametrize(
    ("name", "hint"),
    few([("quadratics", ": did you mean 'quadratic'?"), ("tabel", ": did you mean 'table'?"), ("x", "")], 1),
)
def test_an_unknown_name_is_one_line_that_lists_the_package_s_method_too(example: Path, name: str, hint: str) -> None:
    found = run(f"archsim validate tiny_2x2 lstm_3_2_t4 --set activation.method={name}", example)
    assert found.returncode == 2
    assert found.stdout == (
        f"archsim: error: --set activation.method={name}: activation.method: expected one of 'exact', 'polynomial', "
        f"'hard', 'table', 'piecewise_linear', 'gemmlowp', 'quadratic' (how a function is evaluated), got '{name}'"
        f"{hint}\n"
    )


@exhaustive
def test_the_example_refuses_what_it_cannot_do(example: Path) -> None:
    """A wide address by its own words; a function that it does not have, as `hard` does."""
    command = "archsim validate tiny_2x2 lstm_3_2_t4 --set formats=q4.12 --set activation.method=quadratic --set "
    wide = run(command + "activation.address_format=q4.24", example)
    assert wide.returncode == 2
    assert "activation: method quadratic: address_format is q4.24, of more than 24 bits" in wide.stdout


def test_the_package_has_to_be_installed(tmp_path: Path) -> None:
    found = run("archsim validate tiny_2x2 lstm_3_2_t4 --set activation.method=quadratic", tmp_path)
    assert found.returncode == 2
    assert "got 'quadratic'" in found.stdout


@pytest.mark.parametrize("target", ["q1.15", "q4.12/truncate", "q2.6/gemmlowp", "int8", "int16/half_up", "q1.3/wrap"])
@pytest.mark.parametrize("name", ["sigmoid", "tanh"])
def test_the_example_and_its_reference_agree_for_every_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, target: str
) -> None:
    """The page's own two programs, at all 2^13 arguments of q5.8 and into formats of each rounding."""
    module = quadratic(tmp_path, monkeypatch)
    address, wanted = parse_format("q5.8"), parse_format(target)
    assert hasattr(address, "scale")
    scale = float(getattr(wanted, "scale", 0.013))
    codes = np.arange(-(2**12), 2**12)
    overflows = Overflows()
    evaluate = module.Quadratic(address).curved(
        FunctionSpec(name), Encoding(address, address.scale), Encoding(wanted, scale), overflows
    )
    got, beyond = evaluate(codes)
    counts: Counter[str] = Counter()
    expected = module.QuadraticReference(address).activate(
        Activation(name), Coded(codes, grid(address)), Target("activation", grid(wanted, scale), counts)
    )
    assert np.array_equal(got, expected.codes)
    assert beyond == counts["activation"]
    exact = np.tanh(codes / 256) if name == "tanh" else 1 / (1 + np.exp(-codes / 256))
    if target == "q4.12/truncate":
        assert np.abs(got * scale - exact).max() < (0.045 if name == "tanh" else 0.0225)


def quadratic(folder: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The page's package as modules of this process, forgotten afterwards."""
    install("archsim_quadratic", section(TITLE), folder)
    monkeypatch.syspath_prepend(folder)
    for name in ("archsim_quadratic", "archsim_quadratic.reference", "archsim_quadratic.method"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return importlib.import_module("archsim_quadratic.method")


def grid(number_format: NumberFormat, scale: float | None = None) -> Grid:
    """The golden model's words for a format without zero point."""
    found: Any = number_format
    own = found.scale if scale is None else scale
    return Grid(found.bits, own, 0, found.rounding.value, found.wraps, fixed=hasattr(found, "fraction_bits"))


def test_without_a_reference_nothing_is_judged() -> None:
    """Not by another method's, however alike the two are."""
    found = verdict(MINE)
    assert found.passed is None
    assert found.checks == ()
    assert found.not_judged == "the integer reference does not know the activation method mine"
    assert verdict(replace(MINE, integer_reference=lambda config, formats: Exact(hard=True))).passed


def test_it_is_the_definition_s_own_reference_that_judges() -> None:
    """One that is wrong on purpose finds the machine wrong; one that is none is named."""
    wrong = verdict(replace(MINE, integer_reference=lambda config, formats: Exact()))
    assert wrong.passed is False
    with pytest.raises(ExtensionError, match="mine: its integer reference is a int, which is no"):
        verdict(replace(MINE, integer_reference=lambda config, formats: 3))
    fails: Any = lambda config: None  # noqa: E731 the author forgot the formats
    with pytest.raises(ExtensionError, match="mine: its integer reference cannot be made: TypeError: .* 2 were given$"):
        verdict(replace(MINE, integer_reference=fails))


def test_a_reference_that_does_not_know_a_function_judges_nothing() -> None:
    class SigmoidAlone(Exact):
        functions = frozenset({"sigmoid"})

    found = verdict(replace(MINE, integer_reference=lambda config, formats: SigmoidAlone(hard=True)))
    assert found.passed is None
    assert found.not_judged == "the integer reference does not know tanh by the activation method mine"


def test_a_method_refuses_functions_itself(tmp_path: Path) -> None:
    """The message says what it has, as that of archsim's `hard`."""
    file = tmp_path / "softsign.yaml"
    file.write_text(
        "summary: a test\nkind: rnn\ninput_size: 3\nhidden_size: 2\nsteps: 2\nbatch: 1\n"
        "activations: [{name: softsign}]\nweights: {seed: 0}\ninput: {seed: 1}\n"
    )
    softsign = load_workload(str(file))
    with pytest.raises(ArchError, match="activation.method: mine stands for sigmoid and tanh; .* needs softsign"):
        simulate(machine(method=MINE), softsign, timing_only=True)


def test_in_float32_only_a_method_that_says_it_is_exact_is_judged() -> None:
    found = verdict(MINE, "formats=float32")
    assert found.passed is None
    assert found.not_judged == "float32 with activations by the method mine is meant to differ from the golden model"
    assert verdict(replace(METHODS["exact"], name="mine"), "formats=float32").passed


def test_own_methods_have_their_reference() -> None:
    for name in METHODS.keys() - {"polynomial"}:  # which computes in floating point
        assert simulate(machine(f"activation.method={name}"), load_workload("lstm_3_2_t4")).validation.passed, name


def test_offered_methods_are_found_by_name_and_written_by_name() -> None:
    with offered(GROUP, mine=MINE):
        assert find_method("mine") is MINE
        assert list(all_methods()) == ["exact", "polynomial", "hard", "table", "piecewise_linear", "gemmlowp", "mine"]
        arch = machine("activation.method=mine")
        assert arch.config.function_unit.method is MINE
        written = arch.config.model_dump_json()
        assert '"method":"mine"' in written
        assert type(arch.config).model_validate_json(written) == arch.config
    assert find_method("mine") is None


def test_a_file_may_name_a_method_that_the_caller_gives(tmp_path: Path) -> None:
    """With no package installed; where one has the name too, the caller's is taken, as of units."""
    text = preset_file(PresetKind.ARCH, "tiny_2x2").read_text(encoding="utf-8")
    file = tmp_path / "own.yaml"
    file.write_text(text.replace("method: polynomial", "method: mine"), encoding="utf-8")
    other = replace(MINE, summary="of the caller")
    assert load_arch(str(file), methods=[other]).config.function_unit.method is other
    with offered(GROUP, mine=MINE):
        assert load_arch(str(file)).config.function_unit.method is MINE
        assert load_arch(str(file), methods=[other]).config.function_unit.method is other
    with pytest.raises(ArchError, match="expected one of 'exact', 'polynomial', .*, got 'mine'$"):
        load_arch(str(file))


@pytest.mark.parametrize(
    ("name", "message"), [("mien", "got 'mien': did you mean 'mine'"), ("x", "got 'x': given besides: 'mine'$")]
)
def test_an_unknown_name_beside_a_caller_s_methods(name: str, message: str) -> None:
    with pytest.raises(ArchError, match=message):
        load_arch("tiny_2x2", [parse_override(f"activation.method={name}")], methods=(MINE,))


@pytest.mark.parametrize(
    ("methods", "message"),
    [
        ((Hard(),), "expected an instance of MethodDefinition, got Hard"),
        ((TABLE,), "table: archsim has a method of that name"),
        ((MINE, replace(MINE, summary="again")), "mine: there are several methods of that name"),
        ((replace(MINE, summary=3),), "mine: summary must be text, got the integer 3"),  # type: ignore[arg-type]
        ((replace(MINE, make=Hard()),), "mine: make must be a function, got the value .*"),  # type: ignore[arg-type]
        ((replace(MINE, exact="yes"),), "mine: exact must be True or False, got .*"),  # type: ignore[arg-type]
        (
            (replace(MINE, integer_reference=3),),  # type: ignore[arg-type]
            "mine: integer_reference must be a function or None, got the integer 3",
        ),
    ],
)
def test_methods_that_a_caller_cannot_give(methods: Any, message: str) -> None:
    with pytest.raises(ExtensionError, match=f"^archsim.activation_methods: {message}$"):
        load_arch("tiny_2x2", methods=methods)


@pytest.mark.parametrize(
    ("name", "method", "message"),
    [
        ("other", MINE, "the entry must have the name of its method, which is 'mine'"),
        ("mine", 3, "expected an instance of MethodDefinition, got int"),
    ],
)
def test_entries_that_are_wrong(name: str, method: object, message: str) -> None:
    with offered(GROUP, **{name: method}), pytest.raises(ExtensionError, match=message):
        machine(f"activation.method={name}")


def test_a_name_of_archsim_s_own_cannot_be_offered() -> None:
    """Its own method is taken; who asks for a name that nobody has is told so, and of the entry beside it."""
    with offered(GROUP, table=TABLE):
        assert machine("activation.method=table").config.function_unit.method is TABLE
        taken = "'table' = .* of an installed package: archsim has a method of that name"
        with pytest.warns(ExtensionWarning, match=taken), pytest.raises(ArchError, match="expected one of 'exact', "):
            machine("activation.method=mine")


def test_a_maker_that_makes_no_method() -> None:
    wrong: Any = lambda config, formats: 3  # noqa: E731
    with pytest.raises(ExtensionError, match=r"archsim.activation_methods: mine: made a int, which is no Method"):
        machine(method=replace(MINE, make=wrong))


class Returning(Hard):
    """A method that returns what it is told to, of an int16 or float32 target."""

    def __init__(self, found: Callable[[Any], Any]) -> None:
        self.found = found

    def curved(self, function: Any, source: Any, target: Any, overflows: Any) -> Any:
        return self.found


def fails(x: Any) -> Any:
    raise KeyError("a bug")


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (lambda x: (np.full(x.shape, 40_000), 0), "codes from -32,768 to 32,767, got 40,000"),
        (lambda x: (x.astype(np.float64), 0), "codes of q4.12, got float64"),
        (lambda x: (x[:1], 0), r"an array of shape \(3, 1\), got shape \(1, 1\)"),
        (lambda x: (3, 0), r"an array of shape \(3, 1\), got a int"),
        (lambda x: (x, -1), "a whole number of overflows, got -1"),
        (lambda x: (x, 0.5), "a whole number of overflows, got 0.5"),
        (lambda x: x, "must return stored results and how many overflowed: got array"),
        (lambda x: None, "must return stored results and how many overflowed: got None"),
        (fails, "sigmoid: KeyError: 'a bug'"),
    ],
)
def test_results_that_are_none(found: Callable[[Any], Any], message: str) -> None:
    """It is refused when it comes, in one line, and nothing is computed on with it."""
    broken = replace(MINE, make=lambda config, formats: Returning(found))
    with pytest.raises(ExtensionError, match=f"^archsim.activation_methods: mine: .*{message}"):
        verdict(broken)


@pytest.mark.parametrize(
    ("sets", "message"),
    [
        (["formats=float32"], "without address_format that is formats.gate, float32: set one of the two"),
        (["formats=int8"], "without address_format that is formats.gate, int8: set one of the two"),
        (["activation.address_format=int8"], "address_format is int8"),
        (["activation.address_format=q4.20"], "at most 8 bits"),
    ],
)
def test_a_format_that_a_method_cannot_serve(sets: list[str], message: str) -> None:
    """What, where, and what is allowed: the section, the method, the field and its format; no word of archsim's own."""

    def make(config: Any, formats: Any) -> Hard:
        address = address_format(config, formats)
        if address.bits > 8 and config.address_format is not None:
            raise ValueError("at most 8 bits")
        return Hard()

    with offered(GROUP, mine=replace(MINE, make=make)), pytest.raises(ArchError) as caught:
        machine(*sets, "activation.method=mine")
    (line,) = str(caught.value).splitlines()
    assert ": activation: method mine: " in line
    assert message in line
    assert ("it needs its argument in a q format of up to 32 bits, as q4.12; " in line) == ("at most" not in message)


def test_results_of_another_kind_than_the_target_s() -> None:
    broken = replace(MINE, make=lambda config, formats: Returning(lambda x: (x.astype(np.int64), 0)))
    with pytest.raises(ExtensionError, match="overflowed: numbers of float32, got int64"):
        verdict(broken, "formats=float32")


def test_not_a_number_is_no_result() -> None:
    broken = replace(MINE, make=lambda config, formats: Returning(lambda x: (x * np.float32("nan"), 0)))
    with pytest.raises(ExtensionError, match="mine: sigmoid must return .*: a number that is none"):
        verdict(broken, "formats=float32")


@pytest.mark.parametrize("latency", [-1, 1.5, "3", None, True])
def test_a_latency_that_is_none(latency: object) -> None:
    wrong = Returning(lambda x: (x, 0))
    wrong.latency_cycles = latency  # type: ignore[assignment]
    with pytest.raises(ExtensionError, match="mine: latency_cycles must be a whole number, 0 or more, got"):
        machine(method=replace(MINE, make=lambda config, formats: wrong))


def test_what_raises_when_it_is_made_or_asked() -> None:
    def make(config: Any, formats: Any) -> Any:
        raise AttributeError("no such field")

    with pytest.raises(ExtensionError, match="mine: cannot be made: AttributeError: no such field"):
        machine(method=replace(MINE, make=make))
    wrong = Returning(lambda x: (x, 0))
    wrong.resources = lambda target: 7  # type: ignore[assignment, method-assign, return-value]
    broken = replace(MINE, make=lambda config, formats: wrong)
    with pytest.raises(ExtensionError, match="mine: resources must return a LaneInventory, got int"):
        simulate(machine(method=broken), load_workload("lstm_3_2_t4"), timing_only=True)


def test_golden_methods_are_methods() -> None:
    assert isinstance(Exact(), Method)
