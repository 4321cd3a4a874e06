"""Reads the recurrent cells' tensors of one HDF5 file, in a process of its own.

Not imported: keras_file.py runs it as a script, because the HDF5 library may crash, run for ever or take all memory
over a broken file. It needs h5py and NumPy alone. Arguments: the file, the most bytes that its tensors may take, and
the seconds of a processor that it may take. It writes one line of JSON, {"attributes", "datasets": [[path, shape]],
"refused": [[path, reason]], "others", "listed": [[path, shape, type]]} or {"error"}, and then the numbers of all
datasets as little-endian float64.
"""

from __future__ import annotations

import importlib
import json
import math
import re
import sys
from itertools import islice
from typing import Any

import numpy as np

h5py: Any = importlib.import_module("h5py")  # an optional package, without types
H5 = Any
"""An object of h5py."""

MAX_OBJECTS = 20_000
MAX_DEPTH = 24
MAX_LISTED = 200
MAX_ATTRIBUTE_BYTES = 1 << 24
EXTRA_BYTES = 256 << 20
KNOWN_FILTERS = {1: "gzip", 2: "shuffle", 3: "fletcher32", 32000: "lzf"}
ATTRIBUTES = ("model_config", "keras_version")
OPTIMIZER = ("optimizer_weights", "optimizer")
"""Groups of the file itself in which an optimizer keeps its state, under the names of the weights."""
_NAMED = re.compile(r"(.*/)?(kernel|recurrent_kernel|bias)(:[0-9]+)?")
_NUMBERED = re.compile(r"(.*/)?([A-Za-z0-9_]*_)?cell(_[0-9]+)?/vars/[0-9]+")


def limit_resources(most: int, seconds: int) -> None:
    """Let this process have little more memory than the tensors need, and not run for ever."""
    try:
        import resource

        with open("/proc/self/statm") as file:
            now = int(file.read().split()[0]) * resource.getpagesize()
    except (ImportError, OSError):  # not Linux
        return
    resource.setrlimit(resource.RLIMIT_AS, (now + 3 * most + EXTRA_BYTES,) * 2)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 2))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def walk(group: H5, refused: list[list[str]]) -> dict[str, Any]:
    """All datasets below a group but those of an optimizer, by path; links that lead elsewhere are refused."""
    found: dict[str, Any] = {}
    stack = [("", group, 0)]
    objects = 0
    while stack:
        prefix, node, depth = stack.pop()
        for name in node:
            objects += 1
            if objects > MAX_OBJECTS or depth > MAX_DEPTH:
                raise ValueError("too many objects, or too many groups inside each other")
            path = prefix + name
            if path in OPTIMIZER:
                continue
            if not isinstance(node.get(name, getlink=True), h5py.HardLink):
                refused.append([path, "is a link to another place or file, which is not followed"])
                continue
            inner = node[name]
            if isinstance(inner, h5py.Group):
                stack.append((path + "/", inner, depth + 1))
            elif isinstance(inner, h5py.Dataset):
                found[path] = inner
    return found


def problem(dataset: H5) -> str:
    """Why a dataset cannot be read; "" if it can."""
    plist = dataset.id.get_create_plist()
    if dataset.is_virtual or plist.get_external_count():
        return "has its numbers in other files"
    if dataset.dtype.kind != "f" or dataset.dtype.itemsize not in (2, 4, 8):
        return f"holds {dataset.dtype}, expected floating-point numbers"
    if dataset.shape is None or not 1 <= dataset.ndim <= 2:
        return f"has shape {dataset.shape}, expected one or two dimensions"
    for number in range(plist.get_nfilters()):
        code = plist.get_filter(number)[0]
        if code not in KNOWN_FILTERS:
            return f"is packed by the HDF5 filter {code}, which is not supported"
    chunk = math.prod(dataset.chunks or (1,)) * dataset.dtype.itemsize
    if chunk > 2 * dataset.nbytes + (1 << 20):
        return "has chunks larger than itself"
    return ""


def is_recurrent(path: str, all_paths: set[str]) -> bool:
    """Whether a dataset belongs to a recurrent cell: beside a recurrent_kernel, or a cell's numbered variable."""
    if _NUMBERED.fullmatch(path):
        return True
    match = _NAMED.fullmatch(path)
    if match is None:
        return False
    folder = match[1] or ""
    return any(f"{folder}recurrent_kernel{suffix}" in all_paths for suffix in ("", ":0", match[3] or ""))


def attribute(file: H5, name: str) -> str | None:
    """An attribute of the file as text; None if it has none."""
    if name not in file.attrs:
        return None
    identity = file.attrs.get_id(name)
    if identity.shape != () or identity.get_storage_size() > MAX_ATTRIBUTE_BYTES:
        raise ValueError(f"its attribute {name} is no text")
    value = file.attrs[name]
    if isinstance(value, bytes | np.bytes_):
        value = bytes(value).decode("utf-8", errors="replace")
    if not isinstance(value, str) or len(value) > MAX_ATTRIBUTE_BYTES:
        raise ValueError(f"its attribute {name} is no text")
    return value


def _listed(name: str, item: H5) -> list[Any]:
    """What a dataset is: path, shape, type."""
    return [name, list(item.shape or ()), str(item.dtype)[:40]]


def main(path: str, most: int, seconds: int) -> None:
    """Read the file and write what the parent expects."""
    limit_resources(most, seconds)
    with h5py.File(path, "r") as file:
        refused: list[list[str]] = []
        attributes = {name: attribute(file, name) for name in ATTRIBUTES}
        datasets = walk(file, refused)
        recurrent = {name: item for name, item in datasets.items() if is_recurrent(name, set(datasets))}
        for name in list(recurrent):
            if reason := problem(recurrent[name]):
                refused.append([name, reason])
                del recurrent[name]
        total = sum(math.prod(item.shape) * 8 for item in recurrent.values())
        if total > most:
            raise ValueError(f"its tensors claim {total:,} bytes, more than the {most:,} that its size allows")
        numbers = [np.asarray(item[()], "<f8") for item in recurrent.values()]
        header = {
            "attributes": attributes,
            "datasets": [[name, list(item.shape)] for name, item in recurrent.items()],
            "refused": refused,
            "others": len(datasets) - len(recurrent),
            "listed": [_listed(name, item) for name, item in islice(datasets.items(), MAX_LISTED)],
        }
    sys.stdout.buffer.write(json.dumps(header).encode() + b"\n")
    for values in numbers:
        sys.stdout.buffer.write(values.tobytes())


def error_line(error: Exception) -> bytes:
    """The line that stands in place of the JSON if the file cannot be read."""
    said = error.args[0] if isinstance(error, KeyError) and error.args else error
    lines = str(said).strip().splitlines() or [type(error).__name__]
    return json.dumps({"error": lines[0][:200]}).encode() + b"\n"


if __name__ == "__main__":
    try:
        main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
    except Exception as error:  # h5py raises whatever a broken file makes it stumble over
        sys.stdout.buffer.write(error_line(error))
