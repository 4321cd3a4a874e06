"""A small fixed share of the mutated texts; the script runs more: python -m tests.fuzz.fuzz_texts --inputs 20000."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from archsim.explore.run.journal import sealed_line, unsealed
from tests.fuzz.fuzz_runs import FAILED, REFUSED, RIGHT, Ended
from tests.fuzz.fuzz_texts import COMMANDS, TARGETS, changed_lines, changed_text, changed_words, words_of
from tests.optional import need
from tests.rings import exhaustive

ROOT = Path(__file__).resolve().parents[2]
INPUTS_A_TARGET = 20


@exhaustive
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits the memory of processes as Linux does")
def test_mutated_texts_end_in_lines_or_a_result(tmp_path: Path) -> None:
    need("pyarrow")
    inputs = INPUTS_A_TARGET * len(TARGETS)
    command = [sys.executable, "-m", "tests.fuzz.fuzz_texts", "--inputs", str(inputs), "--keep", str(tmp_path)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False, cwd=ROOT)
    assert run.returncode == 0, run.stdout + run.stderr
    assert f"{inputs} inputs in" in run.stdout
    found = re.findall(
        r"^(\S.*?) +(\d+) tried: (\d+) run, (\d+) refused, \d+ at its limits, 0 failed$", run.stdout, re.M
    )
    assert [name for name, *_ in found] == list(TARGETS)
    assert {int(tried) for _, tried, *_ in found} == {INPUTS_A_TARGET}
    assert sum(int(ran) for *_, ran, _ in found) > 5 < sum(int(refused) for *_, refused in found)


def test_a_changed_line_has_the_checksum_of_what_it_has() -> None:
    lines = b"".join(sealed_line(f'{{"key": "{number}", "kind": "done"}}') for number in range(3))
    whole = changed = 0
    for number in range(60):
        found = changed_lines(lines, np.random.default_rng(number)).splitlines(keepends=True)
        whole += all(unsealed(line) is not None for line in found)
        changed += found != lines.splitlines(keepends=True)
    assert changed > 50
    assert 40 < whole < 60, "most have right checksums, some are cut"


def test_inputs_follow_from_their_numbers_and_differ() -> None:
    text = "a: 1\nb: [2, 3]\n"
    texts = [changed_text(text, np.random.default_rng(number)) for number in range(50)]
    assert texts == [changed_text(text, np.random.default_rng(number)) for number in range(50)]
    assert len(set(texts)) > 40
    words = [changed_words(COMMANDS[0], np.random.default_rng(number)) for number in range(50)]
    assert all(len(found) >= len(COMMANDS[0]) and found[0] == "run" for found in words)
    assert not any("\0" in word for found in words for word in found)


@pytest.mark.parametrize(
    ("ended", "word"),
    [
        (Ended(RIGHT, ""), "run"),
        (Ended(REFUSED, "x"), "refused"),
        (Ended(FAILED, "AssertionError: exit code 3: KeyError"), "failed"),
        (Ended(FAILED, "exit code 3: ... MemoryError: ;"), "at its limits"),
        (Ended(-24, "its process ended"), "at its limits"),
        (Ended(-11, "its process ended"), "failed"),
        (Ended(-6, "its process ended"), "failed"),
    ],
)
def test_a_crash_is_a_failure_and_a_limit_is_none(ended: Ended, word: str) -> None:
    assert words_of(ended) == word
