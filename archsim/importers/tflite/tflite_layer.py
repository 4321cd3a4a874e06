"""Makes a layer from one UNIDIRECTIONAL_SEQUENCE_LSTM or BIDIRECTIONAL_SEQUENCE_LSTM of TensorFlow Lite.

Source: tensorflow/lite/kernels/{unidirectional,bidirectional}_sequence_lstm.cc, lstm_eval.cc, lstm_shared.h.
"""

from __future__ import annotations

from archsim.importers.codes import Codes
from archsim.importers.found import Float32Array, FoundLayer, Refused, layer_config
from archsim.importers.tflite.tflite_direction import BOTH, FORWARD, Direction
from archsim.importers.tflite.tflite_integers import INT8, check_norm_bias, integer_ranges, kind_notes
from archsim.importers.tflite.tflite_model import Graph, Operator, Schema
from archsim.workload.network import CellKind

UNIDIRECTIONAL, BIDIRECTIONAL = 44, 52
"""Operators, as the schema numbers them."""
TANH = 4
"""The activation that LSTMs have, as the schema numbers them."""
_AUXILIARY = slice(39, 48)


def tflite_layer(graph: Graph, operator: Operator, name: str, schema: Schema) -> FoundLayer:
    """The layer of an operator; Refused if anything about it is not supported."""
    both = operator.code == BIDIRECTIONAL
    time_major, notes = _options(operator, schema, both)
    inputs = [*operator.inputs, *[-1] * 48][:48]
    if both and any(number >= 0 for number in inputs[_AUXILIARY]):
        raise Refused("has an auxiliary input, which no workload has")
    directions = [Direction(graph, inputs, places) for places in (BOTH if both else (FORWARD,))]
    first = directions[0]
    hidden, size, output = first.sizes
    if any(other.sizes != first.sizes or other.coupled != first.coupled for other in directions):
        raise Refused("its directions have different sizes or options")
    config = layer_config(
        kind=CellKind.LSTM,
        hidden_size=hidden,
        proj_size=output if first.projects else 0,
        bidirectional=both,
        input_forget=first.coupled,
        peepholes=first.peeks,
        layer_norm=first.normalizes,
    )
    integer = graph.type(operator.inputs[0]) == INT8
    if integer and not both and first.projects and first.peeks:
        first.drop_further_peepholes()
    tensors: dict[str, Float32Array] = {}
    codes: dict[str, Codes] = {}
    for direction, suffix in zip(directions, ("_l0", "_l0_reverse"), strict=False):
        tensors |= {key + suffix: tensor for key, tensor in direction.tensors()}
        codes |= {key + suffix: found for key, found in direction.codes.items()}
    if integer and first.normalizes:
        check_norm_bias(graph, inputs, first.coupled)
    ranges = {} if both else dict(integer_ranges(graph, operator, first))
    return FoundLayer(
        name,
        config,
        size,
        tensors,
        batch_first=not time_major,
        codes=codes,
        ranges=ranges,
        notes=(*notes, *kind_notes(codes, ranges, first)),
    )


def _options(operator: Operator, schema: Schema, both: bool) -> tuple[bool, list[str]]:
    table = operator.table.BuiltinOptions()
    if table is None:
        raise Refused("has no options")
    options = (schema.BidirectionalSequenceLSTMOptions if both else schema.UnidirectionalSequenceLSTMOptions)()
    options.Init(table.Bytes, table.Pos)
    if options.FusedActivationFunction() != TANH:
        raise Refused(f"its activation is number {options.FusedActivationFunction()} of the schema, expected tanh")
    cell, projection = float(options.CellClip()), float(options.ProjClip())
    if projection > 0:
        raise Refused(f"bounds h to {projection:g} (proj_clip), which no workload does")
    if not both and getattr(options, "DiagonalRecurrentTensors", bool)():
        raise Refused("its recurrent weights are diagonals, which are not read")
    if both and not options.MergeOutputs():
        raise Refused("gives the outputs of its directions apart (merge_outputs is false)")
    notes = [f"c is bounded to {cell:g} in the model (cell_clip), and not here: a larger c differs"] if cell > 0 else []
    return bool(options.TimeMajor()), notes
