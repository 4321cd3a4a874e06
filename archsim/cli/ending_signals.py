"""Turns the signals that end a process into an interruption, so that nothing half-written stays behind."""

from __future__ import annotations

import signal
import threading
import time
from types import FrameType
from typing import Any

from archsim.cli.exit_codes import EXIT_INTERRUPTED

CLEANING_SECONDS = 2.0
"""How long after a signal further ones are ignored: Ctrl-C twice is once, and what was begun is cleared away."""


class EndingSignals:
    """The signals Ctrl-C (SIGINT), SIGTERM and SIGHUP, each of which raises KeyboardInterrupt where the program is."""

    def __init__(self) -> None:
        self._first = 0
        self._latest_s = 0.0
        self._before: dict[int, Any] = {}

    def take(self) -> None:
        """Handle the signals from here on; one that the caller ignores, as `nohup` does SIGHUP, stays ignored."""
        if threading.current_thread() is not threading.main_thread():
            return
        for number in _numbers():
            if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
                self._before[number] = signal.signal(number, self._interrupt)

    def let_go(self) -> None:
        """Handle the signals as before; after one has come, the next one ends the process without a word."""
        for number, before in self._before.items():
            signal.signal(number, signal.SIG_DFL if self._first else before)
        self._before.clear()

    @property
    def exit_code(self) -> int:
        """The code with which the process ends: 128 plus the signal's number; 130 for Ctrl-C, and if there was none."""
        return 128 + self._first if self._first else EXIT_INTERRUPTED

    def _interrupt(self, number: int, _frame: FrameType | None) -> None:
        now_s = time.monotonic()
        if self._first and now_s - self._latest_s < CLEANING_SECONDS:
            return
        self._first, self._latest_s = self._first or number, now_s
        raise KeyboardInterrupt


def _numbers() -> tuple[int, ...]:
    """The numbers of the signals, as far as the system has them."""
    names = ("SIGINT", "SIGTERM", "SIGHUP")
    return tuple(int(getattr(signal, name)) for name in names if hasattr(signal, name))
