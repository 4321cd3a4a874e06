"""Says where a command ran out of memory: that is no bug, a design can be larger than the machine that simulates it."""

from __future__ import annotations

import errno
import re
import traceback

from archsim.config.text import shorten

_NO_ROOM = re.compile("failed to map segment from shared object|cannot allocate memory", re.IGNORECASE)
"""What the system's loader says of a library that does not fit."""


def out_of_memory(error: BaseException) -> str | None:
    """Where memory ended and what was asked for then, if an error says that it did, else None.

    What the frames of the error still hold is let go of, so that there is room for saying it.
    """
    ends: BaseException | None = error
    while ends is not None and not _says_so(ends):
        ends = ends.__cause__
    if ends is None:
        return None
    asked = str(ends) if isinstance(ends, MemoryError) else ""  # others' words are long, and of other things
    words = (_place(ends) or _place(error) or "archsim") + (f" ({shorten(asked, 300)})" if asked else "")
    seen: BaseException | None = error
    while seen is not None:
        if seen.__traceback__ is not None:
            traceback.clear_frames(seen.__traceback__)
        seen = seen.__cause__ or seen.__context__
    return words


def _says_so(error: BaseException) -> bool:
    if isinstance(error, ImportError):  # a library in C had no room
        return _NO_ROOM.search(str(error)) is not None
    return isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM)


def _place(error: BaseException) -> str:
    """The function of archsim that the error came through last, by its full name; "" if it came through none."""
    place, step = "", error.__traceback__
    while step is not None:
        module = str(step.tb_frame.f_globals.get("__name__"))
        if module.partition(".")[0] == "archsim":
            place = f"{module}.{step.tb_frame.f_code.co_qualname}"
        step = step.tb_next
    return place
