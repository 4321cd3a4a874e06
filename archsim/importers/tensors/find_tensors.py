"""Finds recurrent layers among the tensors of a file: as the user names them, as torch does, or in a known layout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from archsim.config.text import shorten
from archsim.errors import FaultsError
from archsim.importers.faults import other_tensors
from archsim.importers.found import Found, FoundLayer, Refused, Shape, Unsupported, unique_names
from archsim.importers.listed import ListedTensor, nothing_fits
from archsim.importers.reading import Asked
from archsim.importers.tensors.layouts import recognized, torch_names
from archsim.importers.tensors.nearest import nearest, tensors_in_words
from archsim.importers.tensors.recipe import Reader, Recipe, recipe_layer
from archsim.importers.tensors.state_dict import TORCH_NAME, find_in_state_dict
from archsim.importers.tensors.view import TensorView

MAX_RECOGNIZED = 20_000


def find_in_tensors(
    path: Path, shapes: Mapping[str, Shape], read: Reader, asked: Asked, listed: Sequence[ListedTensor]
) -> Found:
    """All recurrent layers among these tensors; NothingFits if there is nothing like one.

    `listed` are all tensors of the file, also those of numbers that are no weights.
    """
    view = TensorView(shapes, read, {}).renamed(asked.naming.renamed(list(shapes)))
    mapped = {name: cell.recipe() for name, cell in (asked.naming.cells or {}).items()}
    layers, unsupported = _built(mapped, view, asked.nonlinearity)
    view = view.without(frozenset(name for recipe in mapped.values() for name in recipe.names))
    view = view.renamed(torch_names(view.shapes, TORCH_NAME)).with_derived()
    found = find_in_state_dict(view, asked.nonlinearity)
    layers += found.layers
    unsupported += found.unsupported
    others = {name: view.shapes[name] for name in found.others}
    known = recognized(others) if len(others) <= MAX_RECOGNIZED else {}
    more, wrong = _built(known, TensorView(others, view.read, {}), asked.nonlinearity)
    layers += _stacked(more)
    unsupported += wrong
    left = len(others) - len({name for recipe in known.values() for name in recipe.names})
    if not layers and not unsupported and listed:
        shown = others or {tensor.name: tensor.shape for tensor in listed}
        hint = nearest(others) if others else "none holds dense floating-point numbers"
        message = (
            f"has no recurrent layer that its names tell, only {other_tensors(len(listed))}: "
            f"{tensors_in_words(shown, len(listed))}; {hint}"
        )
        raise nothing_fits(path, message, listed, len(listed), hint)
    names = unique_names([layer.name for layer in layers])
    named = [replace(layer, name=name) for name, layer in zip(names, layers, strict=True)]
    return Found(path, tuple(named), tuple(unsupported), rest=other_tensors(left))


def _built(
    recipes: Mapping[str, Recipe], view: TensorView, nonlinearity: str | None
) -> tuple[list[FoundLayer], list[Unsupported]]:
    """The layers that the recipes make, and those that cannot be made, with the reason."""
    layers, unsupported = [], []
    for name, recipe in recipes.items():
        title = shorten(name, 300) or "unnamed"
        try:
            layers.append(recipe_layer(title, recipe, view.shapes, view.read, nonlinearity))
        except Refused as error:
            unsupported.append(Unsupported(title, str(error)))
        except FaultsError as error:
            unsupported.append(Unsupported(title, error.faults[0].message))
    return layers, unsupported


def _stacked(layers: list[FoundLayer]) -> list[FoundLayer]:
    """TensorFlow 1's multi_rnn_cell: cell_1 takes what cell_0 gives."""
    names = {layer.name for layer in layers}
    stacked = []
    for layer in layers:
        before, cell, rest = layer.name.rpartition("multi_rnn_cell/cell_")
        number, slash, kind = rest.partition("/")
        below = f"{before}{cell}{int(number) - 1}{slash}{kind}" if cell and number.isdecimal() else ""
        fed = below in names
        stacked.append(replace(layer, fed_by=(below,), input_from=f"the output of {below}") if fed else layer)
    return stacked
