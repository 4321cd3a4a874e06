"""Tries inputs in processes of their own, with limits of memory and time, and says how each ended."""

from __future__ import annotations

import io
import json
import math
import os
import resource
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from archsim.errors import FaultsError

EXTRA_BYTES = 512 << 20
SECONDS = 60
WAITING_SECONDS = 20 * SECONDS
"""What the clock allows, so that a process that waits, and takes no processor's time, ends too."""
T = TypeVar("T")
RIGHT, REFUSED, FAILED = 0, 10, 20


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of an input: RIGHT, REFUSED, FAILED or minus a signal, and a message."""

    code: int
    message: str

    @property
    def words(self) -> str:
        return {RIGHT: "right", REFUSED: "refused", FAILED: "failed"}.get(self.code, f"signal {-self.code}")


def run_all(inputs: Sequence[T], attempt: Callable[[T], bool]) -> Iterator[Ended]:
    """What becomes of each input, in processes of their own: one goes on with the next until an input ends it.

    `attempt` is True of an input that gave a result, False of one in which nothing is; a refusal is a FaultsError.
    """
    left = list(inputs)
    while left:
        reading, writing = os.pipe()
        process = os.fork()
        if process == 0:
            os.close(reading)
            for each in left:
                code, message = _limited(attempt, each)
                line = json.dumps([code, message.encode(errors="replace").decode()[-4000:]])
                os.write(writing, f"{line}\n".encode())
            os._exit(0)
        os.close(writing)
        with open(reading, "rb") as pipe:
            done = [Ended(*json.loads(line)) for line in pipe.readlines()]
        _, status = os.waitpid(process, 0)
        yield from done
        if len(done) < len(left):
            yield Ended(os.waitstatus_to_exitcode(status) or FAILED, "its process ended")
        left = left[len(done) + 1 :]


def _limited(attempt: Callable[[T], bool], each: T) -> tuple[int, str]:
    """Try an input with this process's memory and time limited to what it has, and some."""
    sys.stderr = io.StringIO()
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = math.ceil(used.ru_utime + used.ru_stime) + SECONDS
    for limit, value in (
        (resource.RLIMIT_AS, pages * resource.getpagesize() + EXTRA_BYTES),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (value, resource.getrlimit(limit)[1]))
    signal.alarm(WAITING_SECONDS)
    try:
        return (RIGHT, "") if attempt(each) else (REFUSED, "nothing supported")
    except FaultsError as error:
        text = str(error)
        return (REFUSED, text) if "\n" not in text else (FAILED, f"more than one line: {text}")
    except BaseException:
        return FAILED, traceback.format_exc()
