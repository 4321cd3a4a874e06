"""Turns the attributes of ONNX's recurrent operators into fields of a layer."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from archsim.config.text import shown
from archsim.config.types import LARGEST_NUMBER
from archsim.importers.found import Refused
from archsim.workload.config import FunctionConfig
from archsim.workload.network import CellKind

_COMMON = {
    "activation_alpha": list,
    "activation_beta": list,
    "activations": list,
    "clip": float,
    "direction": bytes,
    "hidden_size": int,
    "layout": int,
}
_OF_KIND: dict[CellKind, dict[str, type]] = {
    CellKind.LSTM: {"input_forget": int},
    CellKind.GRU: {"linear_before_reset": int},
    CellKind.RNN: {},
}

_TAKES = {
    "sigmoid": "",
    "tanh": "",
    "relu": "",
    "softsign": "",
    "softplus": "",
    "affine": "ab",
    "leakyrelu": "a",
    "thresholdedrelu": "a",
    "scaledtanh": "ab",
    "hardsigmoid": "ab",
    "elu": "a",
}
"""Which of alpha and beta a function takes from activation_alpha and activation_beta."""


def layer_options(kind: CellKind, attrs: Mapping[str, Any]) -> tuple[dict[str, Any], int]:
    """The fields of LayerConfig that the attributes set (hidden_size as declared), and the layout (0 or 1)."""
    known = _COMMON | _OF_KIND[kind]
    for name, value in attrs.items():
        if name not in known:
            raise Refused(f"its attribute {shown(name)} is not known")
        if not isinstance(value, known[name]):
            raise Refused(f"its attribute {name} has the wrong type")
    fields = _direction(attrs)
    if "hidden_size" in attrs:
        fields["hidden_size"] = attrs["hidden_size"]
    clip = attrs.get("clip")
    if clip is not None:
        if not (math.isfinite(clip) and clip > 0):
            raise Refused(f"its clip is {clip:g}, expected a number above 0")
        if clip < LARGEST_NUMBER:  # the largest float stands for no clip
            fields["clip"] = clip
    for name in ("input_forget", "linear_before_reset"):
        if name in known:
            fields[name] = attrs.get(name, 0) != 0
    if attrs.get("layout", 0) not in (0, 1):
        raise Refused(f"its layout is {attrs['layout']}, expected 0 or 1")
    directions = 2 if fields.get("bidirectional") else 1
    return fields | _functions(kind, attrs, directions), attrs.get("layout", 0)


def _direction(attrs: Mapping[str, Any]) -> dict[str, Any]:
    direction = attrs.get("direction", b"forward")
    fields = {b"forward": {}, b"reverse": {"reverse": True}, b"bidirectional": {"bidirectional": True}}.get(direction)
    if fields is None:
        raise Refused(f"its direction is {shown(_text(direction))}, expected forward, reverse or bidirectional")
    return dict(fields)


def _functions(kind: CellKind, attrs: Mapping[str, Any], directions: int) -> dict[str, Any]:
    """The activation functions, if they are not PyTorch's; alphas and betas go, in order, to those that take them."""
    defaults = [function.name for function in kind.functions] * directions
    names = [_text(name).lower() for name in attrs.get("activations", ())] or defaults
    if len(names) != len(defaults):
        raise Refused(f"has {len(names)} activations, expected {len(defaults)}")
    parameters = {"a": iter(attrs.get("activation_alpha", ())), "b": iter(attrs.get("activation_beta", ()))}
    functions = []
    for name in names:
        if name not in _TAKES:
            raise Refused(f"its activation {shown(name)} is not known")
        alpha, beta = (next(parameters[which], None) if which in _TAKES[name] else None for which in "ab")
        if name == "scaledtanh" and (alpha is None or beta is None):
            raise Refused("its activation ScaledTanh has no alpha or no beta, and ONNX names no default")
        functions.append(_function(name, alpha, beta))
    for which, attribute in (("a", "activation_alpha"), ("b", "activation_beta")):
        if next(parameters[which], None) is not None:
            raise Refused(f"its {attribute} has more numbers than there are functions that take one")
    if names == defaults:
        return {}
    if kind is CellKind.RNN and set(names) == {"relu"}:
        return {"nonlinearity": "relu"}
    return {"activations": tuple(functions)}


def _function(name: str, alpha: float | None, beta: float | None) -> FunctionConfig:
    for value in (alpha, beta):
        if value is not None and not abs(value) <= 1e6:
            raise Refused(f"its activation {name} has the parameter {value:g}, beyond 1e6")
    return FunctionConfig.model_validate({"name": name, "alpha": alpha, "beta": beta})


def _text(value: bytes) -> str:
    return value.decode("utf-8", errors="replace")
