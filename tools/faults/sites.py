"""Where faults may stand: code that computes, not text, annotations, messages or what only a debugger prints."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path

from tools.faults.fault import Fault, Kind
from tools.faults.kinds import changes, negations

SILENT = {"__repr__", "__str__", "__rich__", "__init_subclass__"}
"""Methods that only print, or run where classes are made."""

TYPES = {"Literal", "Annotated", "NDArray", "Callable", "Union", "Optional"}


def faults_of_tree(root: Path, package: str) -> list[Fault]:
    """All faults of all modules of a package, ordered by file and place."""
    found: list[Fault] = []
    for path in sorted((root / package).rglob("*.py")):
        found.extend(faults_of_source(path.read_text(encoding="utf-8"), path.relative_to(root).as_posix()))
    return found


def faults_of_source(source: str, path: str) -> list[Fault]:
    """All faults of one module, not looked at one by one: see `is_sound`."""
    tree = ast.parse(source)
    text = Text(source)
    found: list[Fault] = []
    for node, names in _computing(tree, ()):
        for kind, other in changes(node, names):
            found.extend(text.fault(path, node, kind, other))
        for test, negated in negations(node):
            found.extend(text.fault(path, test, Kind.CONDITION, negated))
    unique = {fault.key: fault for fault in found}
    return sorted(unique.values(), key=lambda fault: (fault.start, fault.end, fault.kind, fault.after))


class Text:
    """A source text in which nodes are found again; positions of the parser count bytes of a line."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.lines = source.splitlines(keepends=True)
        self.starts = [0]
        for line in self.lines:
            self.starts.append(self.starts[-1] + len(line))

    def offset(self, line: int, column: int) -> int:
        """Characters before a place."""
        return self.starts[line - 1] + len(self.lines[line - 1].encode()[:column].decode())

    def fault(self, path: str, node: ast.AST, kind: Kind, other: ast.expr | ast.stmt) -> Iterator[Fault]:
        """The fault that puts `other` where `node` is."""
        assert isinstance(node, ast.expr | ast.stmt)
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        start, end = self.offset(node.lineno, node.col_offset), self.offset(node.end_lineno, node.end_col_offset)
        after = ast.unparse(ast.fix_missing_locations(other))
        if isinstance(other, ast.expr) and not isinstance(other, ast.Name | ast.Constant | ast.Call | ast.Attribute):
            after = f"({after})" if not isinstance(other, ast.Subscript) else after
        fault = Fault(path, node.lineno, node.col_offset, start, end, kind, self.source[start:end], after)
        if fault.before != after:
            yield fault


def is_sound(fault: Fault, source: str) -> bool:
    """Whether the changed source parses and is another program than before."""
    try:
        changed = ast.parse(fault.apply(source))
    except SyntaxError:
        return False
    return ast.dump(changed) != ast.dump(ast.parse(source))


def _computing(node: ast.AST, names: Sequence[str]) -> Iterator[tuple[ast.AST, Sequence[str]]]:
    """The nodes that may change, each with the parameters of its function."""
    for child in _children(node):
        inner = names
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            if child.name in SILENT:
                continue
            arguments = child.args
            every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
            inner = tuple(argument.arg for argument in every if argument.arg not in ("self", "cls"))
        yield child, inner
        yield from _computing(child, inner)


def _children(node: ast.AST) -> Iterator[ast.AST]:
    """The children of a node that hold code that computes."""
    if isinstance(node, ast.Raise | ast.JoinedStr | ast.Import | ast.ImportFrom):
        return
    if isinstance(node, ast.Assert):
        yield node.test
        return
    if isinstance(node, ast.Subscript) and ast.unparse(node.value).rpartition(".")[2] in TYPES:
        return
    skipped = {"annotation", "returns", "decorator_list", "type_comment"}
    if isinstance(node, ast.ClassDef):
        skipped |= {"bases", "keywords"}
    for name, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and name not in skipped and not _for_types(child):
                yield child


def _for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
