"""Writes a technology as a file that can be read again."""

from __future__ import annotations

import io
from collections.abc import Collection, Mapping, Sequence

from archsim.technology.config import Technology


def technology_text(technology: Technology, comment: str) -> str:
    """The technology as YAML, below a comment of a line."""
    from ruamel.yaml import YAML

    yaml = YAML(pure=True)  # round trip: keeps the order of the fields
    yaml.default_flow_style = False
    yaml.width = 116
    text = io.StringIO()
    yaml.dump(_styled(technology.model_dump(mode="json")), text)
    lines = (line.rstrip() for line in f"# {comment}\n{text.getvalue()}".splitlines())
    return "".join(f"{line}\n" for line in lines)


def _styled(node: object) -> object:
    """The data with numbers that belong together on a line: rows of a table, a point, a spread without words."""
    from ruamel.yaml.comments import CommentedMap, CommentedSeq

    made: CommentedMap | CommentedSeq
    parts: Collection[object]
    if isinstance(node, Mapping):
        made, parts = CommentedMap((key, _styled(value)) for key, value in node.items()), node.values()
    elif isinstance(node, list):
        made, parts = CommentedSeq(map(_styled, node)), node
    else:
        return node
    if not any(isinstance(part, Mapping | Sequence) and not _is_short(part) for part in parts):
        made.fa.set_flow_style()
    return made


def _is_short(part: object) -> bool:
    """Whether a value is a few words, which fit on a line with numbers."""
    return isinstance(part, str) and len(part) < 30
