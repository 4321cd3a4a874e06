"""Turns YAML text into parser events; whatever goes wrong in the parser comes out as a `SyntaxFault`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Any, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from archsim.config.text import shorten

# ruamel.yaml's event classes declare too few of their attributes for a type checker.
YamlEvent: TypeAlias = Any

MAX_BYTES = 1 << 18
"""Largest file that is read, in bytes (256 KiB)."""

_MAX_PROBLEM_LENGTH = 200
_LINE_BREAK = re.compile(r"\r\n?|\n")


class SyntaxFault(Exception):
    """The fault that keeps a text from being read any further; `line` counts from 1, `message` is one line."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(line, message)
        self.line = line
        self.message = message


def refused_character(text: str) -> tuple[int, str] | None:
    """The index and name of the first character that no configuration text may hold, or None.

    Refused are controls (other than tab and line breaks), surrogates, and the line breaks that only some
    programs count as such: they would make line numbers and one-line messages wrong.
    """
    if text.isascii() and text.isprintable():
        return None
    for index, char in enumerate(text):
        if char not in "\t\n\r" and unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"}:
            return index, f"U+{ord(char):04X}"
    return None


def line_at(text: str, index: int) -> int:
    """The 1-based line on which character `index` of `text` stands."""
    return len(_LINE_BREAK.findall(text[:index])) + 1


def events_of(text: str) -> Iterator[YamlEvent]:
    """The ruamel.yaml events of `text`, one after the other; raises `SyntaxFault` where it is not YAML 1.2.

    Events, not composed nodes: ruamel.yaml composes recursively and follows aliases, while the event parser
    does neither, so the reader can stop at its own depth and refuse aliases before anything is expanded.
    """
    refused = refused_character(text)
    if refused is not None:
        index, name = refused
        raise SyntaxFault(line_at(text, index), f"control characters are not allowed, found {name}")
    events = YAML(typ="safe", pure=True).parse(text)
    line = 1
    while True:
        try:
            event = next(events)
        except StopIteration:
            return
        except MarkedYAMLError as error:
            line = _line_of(error, text, line)
            parts = (error.context, error.problem)
            problem = ", ".join(part for part in parts if part) or "it cannot be parsed"
            raise SyntaxFault(line, f"not valid YAML: {shorten(problem, _MAX_PROBLEM_LENGTH)}") from None
        except Exception as error:
            # The parser lets other exceptions through for some texts (ValueError for "\UFFFFFFFF", for one),
            # and the user's text must never end in a traceback.
            known = str(error).splitlines() if isinstance(error, YAMLError) else []
            problem = known[0] if known else "it cannot be parsed from here on"
            raise SyntaxFault(line, f"not valid YAML: {shorten(problem, _MAX_PROBLEM_LENGTH)}") from None
        line = event.start_mark.line + 1
        yield event


def _line_of(error: MarkedYAMLError, text: str, line: int) -> int:
    """The line to blame for a fault: where the text ends too early, the line where the unfinished thing begins."""
    end = line_at(text, len(text.rstrip()))
    for mark in (error.problem_mark, error.context_mark):
        if mark is not None:
            line = mark.line + 1
            if line <= end:
                break
    return min(line, end)
