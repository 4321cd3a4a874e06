"""Shows values and paths of the user's files inside messages: always on one line, never long."""

from __future__ import annotations

import json
import re

from archsim.errors import one_line as one_line

SHOWN_LIMIT = 60
"""Most characters of one of the user's values that a message repeats."""

UNENCODABLE = "backslashreplace"
"""What becomes of what is no text, as names of files may have, in files for people: it is escaped."""

KeyPath = tuple[str | int, ...]
"""Where a value stands: mapping keys and list indices, from the top; () is the whole file."""

_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]+")


def without_jargon(message: str) -> str:
    """A message of a library's validation without the words that it puts before what a validator says."""
    return message.replace("Value error, ", "").replace("Assertion failed, ", "")


def shorten(text: str, limit: int = SHOWN_LIMIT) -> str:
    """The text on one line, cut to at most `limit` characters, the cut marked by "..."."""
    # Cutting first keeps the escaping of a huge value cheap; escaping never shortens.
    line = one_line(text[: limit + 1])
    return line if len(line) <= limit else line[: limit - 3] + "..."


def shown(value: object) -> str:
    """A value as the user wrote it, e.g. `'int4'`, `3`, `[1, 2]`; at most `SHOWN_LIMIT` characters."""
    if isinstance(value, str):
        return f"'{shorten(value, SHOWN_LIMIT - 2)}'"
    return shorten(json.dumps(value, ensure_ascii=False, default=str))


def shown_with_type(value: object) -> str:
    """A value with what it is, e.g. `the string 'int4'`, `the boolean true`, `null (no value)`."""
    if value is None:
        return "null (no value)"
    kinds = {
        bool: "boolean",
        int: "integer",
        float: "decimal number",
        str: "string",
        list: "list",
        dict: "mapping",
    }
    return f"the {kinds.get(type(value), 'value')} {shown(value)}"


def dotted(path: KeyPath) -> str:
    """A path as the user reads it: `memory.banks[0].ports`; keys that are no plain names are quoted."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            name = part if _PLAIN_KEY.fullmatch(part) and len(part) <= SHOWN_LIMIT else shown(part)
            text += f".{name}" if text else name
    return text
