"""Blocks: straight runs of statements of functions. A bit of one table says which of them were entered.

A block begins where control can arrive from elsewhere: a function's body, a branch, a loop's body, what follows a
compound statement. Each gets a statement of its own at its head that sets its byte, so that counting costs little.
Functions that numba compiles are left alone; they count as entered where Python names them.
"""

from __future__ import annotations

import ast
import importlib.machinery
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType

TABLE = "__entered_blocks__"
"""The builtin that the counting statements write to."""

COMPILERS = {"njit", "jit", "vectorize", "guvectorize"}

Place = tuple[int, int]
"""Line (from 1) and column (bytes, from 0)."""

COMPOUND = (ast.If, ast.For, ast.While, ast.Try, ast.With, ast.AsyncFor, ast.AsyncWith, ast.Match)


@dataclass
class Module:
    """What is known of one module: its blocks, and the names that stand in them."""

    blocks: dict[int, tuple[Place, Place]] = field(default_factory=dict)
    """First and last place of each block."""
    compiled: dict[str, tuple[Place, Place]] = field(default_factory=dict)
    """The functions that numba compiles, from the decorator to the end."""
    headers: list[tuple[Place, Place, int]] = field(default_factory=list)
    """Of each function: from its start to the end of its signature, and the block of its body."""
    functions: list[tuple[Place, Place, str]] = field(default_factory=list)
    """First and last place and name of each function that is not compiled."""
    globals: list[tuple[Place, Place, str]] = field(default_factory=list)
    """What stands outside of functions, with the name of the variable or class that it makes."""
    used: set[str] = field(default_factory=set)
    """Names in compiled functions."""
    imported: dict[str, set[str]] = field(default_factory=dict)
    """What is imported by name, by the dotted name of the module that it comes from."""

    def block_at(self, place: Place) -> int | None:
        """The innermost block around a place; none outside of functions and in compiled ones."""
        context = [
            (last[0] - first[0], -first[0], number)
            for number, (first, last) in self.blocks.items()
            if first <= place <= last
        ]
        if context:
            return min(context)[2]
        for first, last, number in self.headers:
            if first <= place <= last:
                return number
        return None

    def compiled_at(self, place: Place) -> str | None:
        """The compiled function around a place."""
        return next((name for name, (first, last) in self.compiled.items() if first <= place <= last), None)

    def global_at(self, place: Place) -> set[str]:
        """The variables and classes that the statement around a place makes."""
        return {name for first, last, name in self.globals if first <= place <= last}


@dataclass
class Blocks:
    """The blocks of a package: `modules` by path in the tree, `named` the blocks that a name stands in."""

    modules: dict[str, Module] = field(default_factory=dict)
    named: dict[str, set[int]] = field(default_factory=dict)
    count: int = 0

    def reached(self, path: str, place: Place) -> set[int]:
        """The blocks of which one must be entered to reach a place; all of the module where that is unknown."""
        module = self.modules[path]
        compiled = module.compiled_at(place)
        if compiled is not None:
            return self._blocks_naming({compiled}) or set(module.blocks)
        block = module.block_at(place)
        if block is not None:
            return {block}
        return self._blocks_naming(module.global_at(place)) or set(module.blocks)

    def circles(self, path: str, place: Place) -> Iterator[set[int]]:
        """Blocks nearer and farther: around a place, in its function and where that is named, in its module."""
        yield self.reached(path, place)
        module = self.modules[path]
        around = [(first, last, name) for first, last, name in module.functions if first <= place <= last]
        for first, last, name in sorted(around, reverse=True):
            inside = {number for number, (start, end) in module.blocks.items() if first <= start and end <= last}
            yield inside
            yield self.named.get(name, set())
        yield set(module.blocks)

    def _blocks_naming(self, names: set[str]) -> set[int]:
        """The blocks that name one of these, also by way of compiled functions and of other globals."""
        everything = [part for module in self.modules.values() for part in module.compiled]
        found: set[int] = set()
        for name in names:
            found |= self.named.get(name, set())
        if found or not names:
            return found
        for name in everything:  # named by compiled functions only
            if any(name in module.compiled and names & module.used for module in self.modules.values()):
                found |= self.named.get(name, set())
        return found

    def needs_recompiling(self, path: str) -> bool:
        """Whether compiled code can depend on a module: it holds some, or names that compiled code uses."""
        if self.modules[path].compiled:
            return True
        dotted = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        return any(
            module.used & module.imported.get(dotted, set()) for module in self.modules.values() if module.compiled
        )


def compiling_decorators(trees: Iterable[ast.Module]) -> set[str]:
    """Names of decorators that compile: numba's, and the functions that use those, directly or through others."""
    found = set(COMPILERS)
    for tree in trees:
        functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
        own = set(COMPILERS)
        while more := {node.name for node in functions if _names(node) & own and not _decorated(node, own)} - own:
            own |= more
        found |= own
    return found


def _decorated(node: ast.FunctionDef | ast.AsyncFunctionDef, by: set[str]) -> bool:
    return any(_names(decorator) & by for decorator in node.decorator_list)


def count_blocks(root: Path, package: str) -> tuple[Blocks, dict[str, CodeType]]:
    """The blocks of all modules, and each module's code with the counting statements, by absolute path."""
    trees = {path: ast.parse(path.read_bytes()) for path in sorted((root / package).rglob("*.py"))}
    compilers = compiling_decorators(trees.values())
    blocks, code = Blocks(), {}
    for path, tree in trees.items():
        counter = _Counter(blocks, compilers)
        counter.module(tree)
        blocks.modules[path.relative_to(root).as_posix()] = counter.found
        code[str(path)] = compile(ast.fix_missing_locations(tree), str(path), "exec", dont_inherit=True)
    return blocks, code


def use_code(code: Mapping[str, CodeType]) -> None:
    """Make this process's imports take these modules' code from here (the files stay as they are)."""
    original = importlib.machinery.SourceFileLoader.get_code

    def get_code(self: importlib.machinery.SourceFileLoader, fullname: str) -> CodeType | None:
        return code.get(str(Path(self.path))) or original(self, fullname)

    importlib.machinery.SourceFileLoader.get_code = get_code  # type: ignore[assignment,method-assign]


class _Counter:
    """Puts the counting statements into one module."""

    def __init__(self, blocks: Blocks, compilers: set[str]) -> None:
        self.blocks, self.compilers = blocks, compilers
        self.found = Module()

    def module(self, tree: ast.Module) -> None:
        """All functions of a module, and what it makes outside of them."""
        for node in tree.body:
            if isinstance(node, ast.ImportFrom) and node.module:
                self.found.imported.setdefault(node.module, set()).update(alias.name for alias in node.names)
            for name in _made(node):
                self.found.globals.append((_first(node), _last(node), name))
        self._functions(tree)

    def _functions(self, node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                self._function(child)
            else:
                self._functions(child)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        if _decorated(node, self.compilers):
            start = min(_first(part) for part in (node, *node.decorator_list))
            self.found.compiled[node.name] = (start, _last(node))
            self.found.used |= _names(node)
            return
        first = _first(node)
        body_first = _first(node.body[0])
        self._functions_below(node.body)
        number = self.blocks.count
        node.body = self._body(node.body, keep_docstring=True)
        self.found.headers.append((first, body_first, number))
        self.found.functions.append((first, _last(node), node.name))

    def _functions_below(self, body: list[ast.stmt]) -> None:
        for node in body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                self._function(node)
            else:
                self._functions(node)

    def _body(self, body: list[ast.stmt], keep_docstring: bool = False) -> list[ast.stmt]:
        """The statements with a counting one at the head of each block."""
        out: list[ast.stmt] = []
        rest = list(body)
        if keep_docstring and isinstance(rest[0], ast.Expr) and isinstance(rest[0].value, ast.Constant):
            out.append(rest[0])
            rest = rest[1:] or [ast.copy_location(ast.Pass(), body[0])]
        run: list[ast.stmt] = []
        for node in rest:
            run.append(node)
            if isinstance(node, COMPOUND):
                out += self._block(run)
                run = []
        return out + (self._block(run) if run else [])

    def _block(self, run: list[ast.stmt]) -> list[ast.stmt]:
        number = self.blocks.count
        self.blocks.count += 1
        self.found.blocks[number] = (_first(run[0]), _last(run[-1]))
        for node in run:
            for name in _own_names(node):
                self.blocks.named.setdefault(name, set()).add(number)
        self._inner(run[-1])
        head = ast.parse(f"{TABLE}[{number}] = 1").body[0]
        for part in ast.walk(head):
            ast.copy_location(part, run[0])
        return [head, *run]

    def _inner(self, node: ast.stmt) -> None:
        """The blocks inside of a compound statement."""
        for name in ("body", "orelse", "finalbody"):
            body = getattr(node, name, None)
            if body and isinstance(node, COMPOUND):
                setattr(node, name, self._body(body))
        for part in [*getattr(node, "handlers", []), *getattr(node, "cases", [])]:
            part.body = self._body(part.body)


def _first(node: ast.AST) -> Place:
    assert isinstance(node, ast.stmt | ast.expr)
    return node.lineno, node.col_offset


def _last(node: ast.AST) -> Place:
    assert isinstance(node, ast.stmt | ast.expr)
    return node.end_lineno or node.lineno, node.end_col_offset or node.col_offset


def _names(node: ast.AST) -> set[str]:
    """All names and attributes below a node."""
    found = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
    return found | {part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute)}


def _own_names(node: ast.stmt) -> set[str]:
    """The names of a statement; of a compound one those of its head alone."""
    if not isinstance(node, COMPOUND):
        return _names(node)
    parts = [
        value
        for name, value in ast.iter_fields(node)
        if name not in ("body", "orelse", "finalbody", "handlers", "cases")
    ]
    flat = [part for value in parts for part in (value if isinstance(value, list) else [value])]
    return set().union(*(_names(part) for part in flat if isinstance(part, ast.AST)))


def _made(node: ast.stmt) -> set[str]:
    """The names that a statement of a module makes."""
    if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return {node.name}
    if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return {part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)}
    return set()
