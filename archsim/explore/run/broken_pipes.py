"""Makes of writing to a process that is gone an error of that write."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def broken_pipes_are_errors() -> Iterator[None]:
    """Within it a worker or scheduler that died does not end this process by SIGPIPE, as the command line has it."""
    if not hasattr(signal, "SIGPIPE") or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    try:
        yield
    finally:
        if before is not None:  # else whoever set it was not Python, which cannot set it again
            signal.signal(signal.SIGPIPE, before)
