"""Weights that a torch module computes from its parameters: dropped, normalized or pruned ones.

Source: torch.nn.utils.weight_norm, spectral_norm, prune and their parametrizations; and the weight drop of AWD-LSTM,
whose trained matrix is weight_hh_l0_raw, while weight_hh_l0 is what the last mask of training left of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from archsim.config.text import shorten
from archsim.importers.found import Shape

Array = npt.NDArray[Any]
_BASE = r"(?P<prefix>(?:.*\.)?)(?P<base>(?:weight|bias)_(?:ih|hh|hr)(?:_l[0-9]{1,4})?(?:_reverse)?)"
_SUFFIXED = re.compile(_BASE + r"_(?P<part>raw|g|v|u|orig|mask)", re.DOTALL)
_PARAMETRIZED = re.compile(
    r"(?P<prefix>(?:.*\.)?)parametrizations\." + _BASE.replace("(?P<prefix>(?:.*\\.)?)", "") + r"\.(?P<part>.+)",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Derived:
    """A weight that is computed: the tensors it comes from, its shape, how, and a note about it."""

    sources: tuple[str, ...]
    shape: Shape
    compute: Callable[[tuple[Array, ...]], Array]
    note: str


def derived_weights(shapes: Mapping[str, Shape]) -> dict[str, Derived]:
    """The weights that can be computed from the file's tensors, under the names they have in the module."""
    parts: dict[str, dict[str, str]] = {}
    for name in shapes:
        match = _SUFFIXED.fullmatch(name)
        own = match is not None
        match = match or _PARAMETRIZED.fullmatch(name)
        if match is not None:
            part = match["part"] if own else f"parametrized {match['part']}"
            parts.setdefault(match["prefix"] + match["base"], {})[part] = name
    found = {}
    for name, given in parts.items():
        made = _derived(name, given, shapes)
        if made is not None:
            found[_under_module(name, shapes) if "raw" in given else name] = made
    return found


def _under_module(name: str, shapes: Mapping[str, Shape]) -> str:
    """The name of a dropped weight inside the module that the weight drop wraps, if that is where the others are."""
    prefix, dot, base = name.rpartition(".")
    inner = f"{prefix}{dot}module."
    return inner + base if any(other.startswith(inner) for other in shapes) else name


def _derived(name: str, given: Mapping[str, str], shapes: Mapping[str, Shape]) -> Derived | None:
    """The weight that these parts make; None if they are not known, or do not fit together."""
    base = name.rpartition(".")[2]
    for parts, (compute, fits, words) in _WAYS.items():
        if set(given) == set(parts):
            sources = tuple(given[part] for part in parts)
            sizes = tuple(shapes[source] for source in sources)
            note = f"{base} is {words} ({', '.join(shorten(source.rpartition('.')[2], 60) for source in sources)})"
            return Derived(sources, sizes[0], compute, note) if fits(sizes) else None
    return None


def _raw(parts: tuple[Array, ...]) -> Array:
    return parts[0]


def _weight_norm(parts: tuple[Array, ...]) -> Array:
    """g v / |v|, the norm over the axes along which g has one number."""
    direction, length = (part.astype(np.float64) for part in parts)
    length = length.reshape((1,) * (direction.ndim - length.ndim) + length.shape)
    axes = tuple(axis for axis, size in enumerate(length.shape) if size == 1)
    with np.errstate(all="ignore"):  # a row of zeros has no direction: reported as not finite
        made: Array = direction * (length / np.sqrt(np.sum(direction**2, axis=axes, keepdims=True)))
    return made


def _norm_fits(sizes: tuple[Shape, ...]) -> bool:
    direction, length = sizes
    whole = (1,) * (len(direction) - len(length)) + length
    return len(whole) == len(direction) and all(one in (1, other) for one, other in zip(whole, direction, strict=True))


def _spectral_norm(parts: tuple[Array, ...]) -> Array:
    """W / (u . W v), with the singular vectors as training left them, as in a module that is not trained."""
    weight, left, right = (part.astype(np.float64) for part in parts)
    matrix = weight if len(left) == len(weight) else weight.T
    with np.errstate(all="ignore"):
        made: Array = weight / (left @ (matrix @ right))
    return made


def _vectors_fit(sizes: tuple[Shape, ...]) -> bool:
    weight, left, right = sizes
    return len(weight) == 2 and len(left) == len(right) == 1 and weight in (left + right, right + left)


def _pruned(parts: tuple[Array, ...]) -> Array:
    made: Array = parts[0] * parts[1]
    return made


def _alone(sizes: tuple[Shape, ...]) -> bool:
    return True


def _alike(sizes: tuple[Shape, ...]) -> bool:
    return sizes[0] == sizes[1]


_NORM = (_weight_norm, _norm_fits, "g v / |v|, as weight_norm computes it")
_SPECTRAL = (_spectral_norm, _vectors_fit, "W / sigma, as spectral_norm computes it")
_WAYS: dict[tuple[str, ...], tuple[Callable[[tuple[Array, ...]], Array], Callable[[tuple[Shape, ...]], bool], str]] = {
    ("raw",): (_raw, _alone, "the trained matrix, without the mask that weight drop laid over it in training"),
    ("v", "g"): _NORM,
    ("parametrized original1", "parametrized original0"): _NORM,
    ("orig", "u", "v"): _SPECTRAL,
    ("parametrized original", "parametrized 0._u", "parametrized 0._v"): _SPECTRAL,
    ("orig", "mask"): (_pruned, _alike, "the pruned matrix"),
}
"""The parts of a weight, the first of its shape: how it is computed, whether the parts fit, and what it is."""
