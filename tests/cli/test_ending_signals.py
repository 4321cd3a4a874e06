"""Signals that end a process become an interruption, once; what the caller ignores stays ignored."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator

import pytest

from archsim.cli.ending_signals import EndingSignals

INT, TERM, HUP = signal.SIGINT, signal.SIGTERM, signal.SIGHUP
pytestmark = pytest.mark.skipif(
    threading.current_thread() is not threading.main_thread(), reason="signals are for the main thread"
)


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """The handlers of Python's beginning, and after the test those that there were."""
    before = {number: signal.getsignal(number) for number in (INT, TERM, HUP)}
    signal.signal(INT, signal.default_int_handler)
    for number in (TERM, HUP):
        signal.signal(number, signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(("number", "code"), [(INT, 130), (TERM, 143), (HUP, 129)])
def test_each_interrupts_and_has_its_exit_code(number: signal.Signals, code: int) -> None:
    signals = EndingSignals()
    signals.take()
    assert signals.exit_code == 130, "an interruption that no signal made is Ctrl-C's"
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(number)
    assert signals.exit_code == code
    signals.let_go()
    assert signal.getsignal(TERM) == signal.SIG_DFL


def test_another_one_soon_after_is_left_out_and_a_later_one_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    signals = EndingSignals()
    signals.take()
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(TERM)
    for later in (0.0, 1.9):
        now[0] = 100.0 + later
        signal.raise_signal(INT)
        signal.raise_signal(TERM)
    now[0] = 102.1
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(INT)
    assert signals.exit_code == 143, "that of the first"
    signals.let_go()


def test_what_is_ignored_stays_ignored() -> None:
    """As `nohup` ignores SIGHUP."""
    signal.signal(HUP, signal.SIG_IGN)
    signals = EndingSignals()
    signals.take()
    signal.raise_signal(HUP)
    assert signal.getsignal(HUP) == signal.SIG_IGN
    signals.let_go()
    assert signal.getsignal(HUP) == signal.SIG_IGN


def test_without_a_signal_the_handlers_are_those_of_before() -> None:
    signals = EndingSignals()
    signals.take()
    signals.let_go()
    assert signal.getsignal(INT) == signal.default_int_handler
    assert signal.getsignal(TERM) == signal.SIG_DFL


def test_in_another_thread_nothing_is_handled() -> None:
    thread = threading.Thread(target=EndingSignals().take)
    thread.start()
    thread.join()
    assert signal.getsignal(TERM) == signal.SIG_DFL
