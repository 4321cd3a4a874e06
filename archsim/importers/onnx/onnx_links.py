"""Joins the layers of an ONNX graph: what feeds each, which are two directions of one, which linear ones belong."""

from __future__ import annotations

from dataclasses import dataclass, replace

from archsim.importers.found import FoundLayer, unique_names
from archsim.importers.onnx.onnx_feeds import BATCH_FIRST, TIME_FIRST, Feeds, Output
from archsim.importers.onnx.onnx_flow import Flow
from archsim.importers.onnx.onnx_graph import Proto, Scope
from archsim.importers.onnx.onnx_linear import Linear, linears, on_the_host

Place = tuple[Scope, Proto, str]
"""A recurrent operator: its graph, its node, its name."""


@dataclass(frozen=True, slots=True)
class Whole:
    """A network with the linear layers around its recurrent ones, and what is left to the host, in words."""

    layers: tuple[FoundLayer, ...]
    pairs: tuple[tuple[str, str], ...]
    host: tuple[str, ...]


def whole_network(graphs: list[Scope], places: list[Place], layers: dict[int, FoundLayer]) -> Whole:
    """The recurrent layers with all linear ones that feed them or are fed by them.

    No file says which axis of the first linear layer's input is time: that order is taken with which more layers feed
    one another, and of equals time first.
    """
    found = list(linears(graphs[0]))
    recurrent = [layer.name for layer in layers.values()]
    names = unique_names([*recurrent, *(linear.layer.name for linear in found)])[len(recurrent) :]
    found = [replace(linear, layer=replace(linear.layer, name=name)) for linear, name in zip(found, names, strict=True)]
    best: Whole | None = None
    for first in (TIME_FIRST, BATCH_FIRST):
        whole = _whole(graphs, places, layers, found, first)
        if best is None or _links(whole) > _links(best):
            best = whole
    assert best is not None
    return best


def _links(whole: Whole) -> int:
    return sum(bool(layer.fed_by) for layer in whole.layers)


def _whole(
    graphs: list[Scope],
    places: list[Place],
    layers: dict[int, FoundLayer],
    found: list[Linear],
    first: tuple[str, ...],
) -> Whole:
    outputs = {id(node): _output(layers[id(node)], scope, node) for scope, node, _ in places if id(node) in layers}
    feeds = Feeds(outputs, {id(linear.nodes[-1]): linear for linear in found}, first)
    by_name = {layer.name: layer for layer in layers.values()} | {linear.layer.name: linear.layer for linear in found}
    sources, recurrent = {}, []
    for scope, node, _ in places:
        layer = layers.get(id(node))
        if layer is not None:
            sources[layer.name] = feeds.source(scope, node.input[0])
            turned = feeds.turned(scope, node.input[0])
            recurrent.append(replace(_fed(layer, feeds.flow(scope, node.input[0]), by_name), turns_input=turned))
    around = [_fed_linear(linear, feeds.flow(graphs[0], linear.x), by_name, first) for linear in found]
    kept = _belonging(recurrent, around)
    pairs = _pairs(feeds, graphs, {layer.name: layer for layer in recurrent}, sources)
    taken = {id(node): name for _, node, name in places}
    names = {layer.name for layer in kept}
    taken |= {id(node): linear.layer.name for linear in found if linear.layer.name in names for node in linear.nodes}
    return Whole((*recurrent, *kept), pairs, on_the_host(graphs, taken))


def _fed_linear(linear: Linear, flow: Flow | str, layers: dict[str, FoundLayer], first: tuple[str, ...]) -> FoundLayer:
    """A linear layer with what feeds it, in whichever order of time and sequences that comes."""
    layer = linear.layer
    if isinstance(flow, str):
        return replace(layer, input_from=flow, turns_input=first == BATCH_FIRST)
    batch_first = flow.axes == BATCH_FIRST
    return replace(_fed(replace(layer, batch_first=batch_first), flow, layers), batch_first=False)


def _belonging(recurrent: list[FoundLayer], around: list[FoundLayer]) -> list[FoundLayer]:
    """The linear layers that a chain of layers joins with a recurrent one."""
    names = {layer.name for layer in recurrent}
    needed = {name for layer in recurrent for name in layer.fed_by}
    kept: dict[str, FoundLayer] = {}
    for _ in around:
        for layer in around:
            if layer.name not in kept and (layer.name in needed or (layer.fed_by and names.issuperset(layer.fed_by))):
                kept[layer.name] = layer
                names.add(layer.name)
                needed.update(layer.fed_by)
    return [layer for layer in around if layer.name in kept]


def linked(
    places: list[Place], layers: dict[int, FoundLayer], graphs: list[Scope]
) -> tuple[tuple[FoundLayer, ...], tuple[tuple[str, str], ...]]:
    """The layers with what feeds them, and the pairs of directions."""
    outputs = {id(node): _output(layers[id(node)], scope, node) for scope, node, _ in places if id(node) in layers}
    feeds = Feeds(outputs)
    by_name = {layer.name: layer for layer in layers.values()}
    sources = {}
    found = []
    for scope, node, _ in places:
        layer = layers.get(id(node))
        if layer is None:
            continue
        flow = feeds.flow(scope, node.input[0])
        sources[layer.name] = feeds.source(scope, node.input[0])
        turned = feeds.turned(scope, node.input[0])
        found.append(replace(_fed(layer, flow, by_name), turns_input=turned))
    return tuple(found), _pairs(feeds, graphs, {layer.name: layer for layer in found}, sources)


def _output(layer: FoundLayer, scope: Scope, node: Proto) -> Output:
    layout = int(layer.batch_first)
    return Output(layer.name, layer.cells, layer.config.hidden_size, layout, scope, node.input[0])


def _fed(layer: FoundLayer, flow: Flow | str, layers: dict[str, FoundLayer]) -> FoundLayer:
    if isinstance(flow, str):
        return replace(layer, input_from=flow)
    names = tuple(dict.fromkeys(name for name, _ in flow.parts))
    words = "the output of " + " and ".join(names)
    wanted = ("B", "T", "F") if layer.batch_first else ("T", "B", "F")
    whole = [(name, place) for name in names for place in range(layers[name].cells)]
    if flow.axes != wanted or list(flow.parts) != whole or layer.input_size != len(flow.parts) * flow.units:
        return replace(layer, input_from=f"{words}, but not as a sequence of its features")
    return replace(layer, input_from=words, fed_by=names)


def _pairs(
    feeds: Feeds, graphs: list[Scope], layers: dict[str, FoundLayer], sources: dict[str, tuple[int, str]]
) -> tuple[tuple[str, str], ...]:
    """The pairs of layers, forward and reverse over one input, whose outputs the graph puts side by side."""
    pairs: dict[tuple[str, str], None] = {}
    for scope in graphs:
        for node in scope.graph.node:
            if node.op_type != "Concat" or not node.output or len(node.input) != 2:
                continue
            flow = feeds.flow(scope, node.output[0])
            if isinstance(flow, str) or len(flow.parts) != 2 or len({name for name, _ in flow.parts}) != 2:
                continue
            forward, reverse = (name for name, _ in flow.parts)
            ways = (layers[forward].config.reverse, layers[reverse].config.reverse)
            if ways == (False, True) and sources[forward] == sources[reverse]:
                pairs[forward, reverse] = None
    return tuple(pairs)
