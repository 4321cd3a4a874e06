"""Every option of a cell on numbers that can be followed in the head.

The activation functions are the identity, so that each result is a small whole number that tells the right equation
from the wrong ones. Every schedule computes them, on the machine, without a hazard (hand.run).
"""

from __future__ import annotations

import numpy as np
import pytest

from archsim.lowering.tensors import Results
from tests.families.cells.hand import GRU, IDENTITY, LSTM, MACHINE, ONE_BANK, RNN, every_schedule, run, run_on

# x = 1, h = 2, c = 3. Before any option i = 1 + 2 = 3, f = 2 + 2 + 1 = 5, g = 3 - 2 = 1, o = 4 + 0 + 1 = 5.
LSTM_CELL = {
    "weight_ih": [1, 2, 3, 4],
    "weight_hh": [1, 1, -1, 0],
    "bias_ih": [0, 1, 0, 0],
    "bias_hh": [0, 0, 0, 1],
    "h_0": [2],
    "c_0": [3],
}
# x = 1, h = 2. r = 1 + 2 = 3, z = 2 - 2 + 2 = 2; W_in x + b_in = 3 + 1, W_hn = 2, b_hn = 4.
GRU_CELL = {
    "weight_ih": [1, 2, 3],
    "weight_hh": [1, -1, 2],
    "bias_ih": [0, 2, 1],
    "bias_hh": [0, 0, 4],
    "h_0": [2],
}


def states(results: Results) -> tuple[float, ...]:
    """h_n and c_n of one cell of one unit and one sequence."""
    (h_n,), (c_n,) = results.h_n, results.c_n
    return (h_n.item(),) if c_n is None else (h_n.item(), c_n.item())


@every_schedule
class TestLstm:
    def test_plain(self, schedule: str) -> None:
        """c = f c + i g = 5 * 3 + 3 * 1 = 18; h = o c = 90."""
        assert states(run(schedule, [1], [LSTM_CELL], **LSTM)) == (90, 18)

    def test_without_bias(self, schedule: str) -> None:
        """f = 4, o = 4: c = 12 + 3 = 15, h = 60."""
        cell = {name: values for name, values in LSTM_CELL.items() if "bias" not in name}
        assert states(run(schedule, [1], [cell], bias=False, **LSTM)) == (60, 15)

    def test_both_biases_count(self, schedule: str) -> None:
        """With b_ih and b_hh of f exchanged nothing changes; with both twice as large f = 6 and o = 6."""
        other = LSTM_CELL | {"bias_ih": [0, 0, 0, 1], "bias_hh": [0, 1, 0, 0]}
        assert states(run(schedule, [1], [other], **LSTM)) == (90, 18)
        twice = LSTM_CELL | {"bias_ih": [0, 1, 0, 1], "bias_hh": [0, 1, 0, 1]}
        assert states(run(schedule, [1], [twice], **LSTM)) == (6 * 21, 6 * 3 + 3)

    def test_the_output_peephole_sees_the_new_cell(self, schedule: str) -> None:
        """p = 1, -1, 2 of i, f, o: i = 3 + 3 = 6 and f = 5 - 3 = 2 see the old c = 3.

        c = 2 * 3 + 6 * 1 = 12; o = 5 + 2 * 12 = 29 sees the new one: h = 29 * 12. With the old one it would be
        5 + 2 * 3 = 11, h = 132.
        """
        cell = LSTM_CELL | {"peephole": [1, -1, 2]}
        assert states(run(schedule, [1], [cell], peepholes=True, **LSTM)) == (29 * 12, 12)

    def test_clip_bounds_the_gates_and_not_the_cell(self, schedule: str) -> None:
        """To [-4, 4]: f = 5 and o = 5 become 4. c = 4 * 3 + 3 = 15 stays, and so does what tanh would see: h = 60."""
        assert states(run(schedule, [1], [LSTM_CELL], clip=4.0, **LSTM)) == (60, 15)

    def test_clip_comes_after_the_peepholes(self, schedule: str) -> None:
        """i = 6, f = 2, c = 12 as above; o = 29 is bounded to 10: h = 120. Clipped first it would be (5 + 24) * 12."""
        cell = LSTM_CELL | {"peephole": [1, -1, 2]}
        assert states(run(schedule, [1], [cell], clip=10.0, peepholes=True, **LSTM)) == (120, 12)

    def test_clip_bounds_from_below(self, schedule: str) -> None:
        """The candidate's g = 3 - 2 * 10 = -17 becomes -6; f c + i g = 5 * 3 + 3 * -6 = -3, h = 5 * -3."""
        cell = LSTM_CELL | {"weight_hh": [1, 1, -10, 0]}
        assert states(run(schedule, [1], [cell], clip=6.0, **LSTM)) == (-15, -3)

    def test_input_forget(self, schedule: str) -> None:
        """f = 1 - i = -2: c = -2 * 3 + 3 * 1 = -3, h = 5 * -3. The forget gate's own rows do nothing."""
        assert states(run(schedule, [1], [LSTM_CELL], input_forget=True, **LSTM)) == (-15, -3)
        other = LSTM_CELL | {"weight_ih": [1, 70, 3, 4], "weight_hh": [1, 80, -1, 0], "bias_ih": [0, 90, 0, 0]}
        assert states(run(schedule, [1], [other], input_forget=True, **LSTM)) == (-15, -3)

    def test_each_function_has_its_place(self, schedule: str) -> None:
        """2 z for the gates, 3 z for the candidate, z + 1 of the cell: i, f, o = 6, 10, 10, g = 3.

        c = 10 * 3 + 6 * 3 = 48, h = 10 * 49.
        """
        twice, thrice, more = {"alpha": 2.0}, {"alpha": 3.0}, {"beta": 1.0}
        functions = tuple(IDENTITY | parameters for parameters in (twice, thrice, more))
        assert states(run(schedule, [1], [LSTM_CELL], **LSTM | {"activations": functions})) == (490, 48)

    def test_projection(self, schedule: str) -> None:
        """Two units with c = 18 and h = 90, as above, and with c = 1, h = 1 (i = 1, f = 0, g = 1, o = 1 from x = 1).

        W_hr = (1, -3): h = 90 - 3 = 87. In the second step the recurrent weights see that one number: x = 0, and
        i = h = 87, f = g = h + 1 (bias), o = 0 + 1 of unit 0; the other's are 0.
        """
        cell = {
            # rows i, f, g, o of both units each
            "weight_ih": [1, 1, 2, 0, 3, 1, 4, 1],
            "weight_hh": [1, 0, 1, 0, -1, 0, 0, 0],
            "bias_ih": [0, 0, 1, 0, 0, 0, 0, 0],
            "bias_hh": [0, 0, 0, 0, 0, 0, 1, 0],
            "weight_hr": [1, -3],
            "h_0": [2],
            "c_0": [3, 0],
        }
        fields = LSTM | {"hidden_size": 2, "proj_size": 1}
        first = run(schedule, [1], [cell], **fields)
        assert first.output.tolist() == [[[87]]]
        assert first.c_n[0].tolist() == [[18, 1]]  # type: ignore[union-attr]
        both = run(schedule, [1, 0], [cell], steps=2, **fields)
        # i = 87, f = 88, g = -87, o = 1: c = 88 * 18 - 87 * 87; the other unit's gates are 0, its c = 0 and h = 0.
        c = 88 * 18 - 87 * 87
        assert both.output.tolist() == [[[87]], [[c]]]
        assert both.c_n[0].tolist() == [[c, 0]]  # type: ignore[union-attr]


@every_schedule
class TestGru:
    def test_reset_after_the_product(self, schedule: str) -> None:
        """n = 3 + 1 + 3 * (2 * 2 + 4) = 28; h = (1 - 2) * 28 + 2 * 2 = -24. The reset gate scales b_hn too."""
        assert states(run(schedule, [1], [GRU_CELL], **GRU)) == (-24,)

    def test_reset_before_the_product(self, schedule: str) -> None:
        """n = 3 + 1 + 2 * (3 * 2) + 4 = 20; h = (1 - 2) * 20 + 2 * 2 = -16."""
        assert states(run(schedule, [1], [GRU_CELL], linear_before_reset=False, **GRU)) == (-16,)

    def test_the_two_forms_agree_without_the_bias_of_the_product(self, schedule: str) -> None:
        """One unit, b_hn = 0: n = 4 + 3 * 2 * 2 = 16 either way; h = -16 + 4."""
        cell = GRU_CELL | {"bias_hh": [0, 0, 0]}
        for form in (True, False):
            assert states(run(schedule, [1], [cell], linear_before_reset=form, **GRU)) == (-12,)

    def test_before_the_product_every_unit_is_reset_by_its_own_gate(self, schedule: str) -> None:
        """r = (2, 10), h = (1, 1), W_hn = [[1, 1], [0, 1]], z = 0: n = (2 + 10, 10); after it: (2 * 2, 10 * 1)."""
        cell = {
            "weight_ih": [2, 10, 0, 0, 0, 0],
            "weight_hh": [[0, 0], [0, 0], [0, 0], [0, 0], [1, 1], [0, 1]],
            "h_0": [1, 1],
        }
        before = run(schedule, [1], [cell], hidden_size=2, bias=False, linear_before_reset=False, **GRU)
        after = run(schedule, [1], [cell], hidden_size=2, bias=False, **GRU)
        assert before.output.tolist() == [[[12, 10]]]
        assert after.output.tolist() == [[[4, 10]]]

    @pytest.mark.parametrize(("form", "h"), [(True, -6), (False, -6)])
    def test_clip(self, schedule: str, form: bool, h: int) -> None:
        """To 10: the whole pre-activation n = 28, or 20, becomes 10: h = -10 + 4, not its parts one by one."""
        assert states(run(schedule, [1], [GRU_CELL], clip=10.0, linear_before_reset=form, **GRU)) == (h,)

    def test_clip_of_the_gates(self, schedule: str) -> None:
        """To 2: r = 3 becomes 2 and z = 2 stays; n = 4 + 2 * 8 = 20 becomes 2: h = (1 - 2) * 2 + 2 * 2 = 2."""
        assert states(run(schedule, [1], [GRU_CELL], clip=2.0, **GRU)) == (2,)

    def test_each_function_has_its_place(self, schedule: str) -> None:
        """2 a for the gates, b + 1 for the candidate: r = 6, z = 4, n = 4 + 6 * 8 + 1 = 53; h = -3 * 53 + 4 * 2."""
        functions = (IDENTITY | {"alpha": 2.0}, IDENTITY | {"beta": 1.0})
        assert states(run(schedule, [1], [GRU_CELL], **GRU | {"activations": functions})) == (-151,)


SUM = {"weight_ih": [1], "weight_hh": [1]}
"""h = x + h: a running sum, in which each decimal digit of these x shows where it has gone."""
FIELDS = RNN | {"bias": False, "steps": 3, "batch": 3}
X = [[1, 2, 3], [10, 20, 30], [100, 200, 300]]
"""(T, B): 1, 10, 100 in the first sequence, ..."""


def lanes(results: Results) -> list[list[float]]:
    """The outputs of each sequence over time."""
    return results.output[:, :, 0].T.tolist()  # type: ignore[no-any-return]


@every_schedule
class TestRnn:
    def test_running_sums(self, schedule: str) -> None:
        results = run(schedule, X, [SUM], **FIELDS)
        assert lanes(results) == [[1, 11, 111], [2, 22, 222], [3, 33, 333]]
        assert results.h_n[0].tolist() == [[111], [222], [333]]

    def test_reverse(self, schedule: str) -> None:
        """From the last step to the first; an output stands at the time of its input, the last state at time 0."""
        results = run(schedule, X, [SUM], reverse=True, **FIELDS)
        assert lanes(results) == [[111, 110, 100], [222, 220, 200], [333, 330, 300]]
        assert results.h_n[0].tolist() == [[111], [222], [333]]

    def test_both_directions_side_by_side(self, schedule: str) -> None:
        results = run(schedule, X, [SUM, SUM | {"weight_ih": [-1]}], bidirectional=True, **FIELDS)
        assert results.output[:, 0].tolist() == [[1, -111], [11, -110], [111, -100]]
        assert [h.tolist() for h in results.h_n] == [[[111], [222], [333]], [[-111], [-222], [-333]]]

    def test_lengths(self, schedule: str) -> None:
        """3, 1 and 2 steps, from h = 1000: outputs behind a sequence's end are 0, its last state is that of its end."""
        cell = SUM | {"h_0": [1000, 1000, 1000]}
        results = run(schedule, X, [cell], sequence_lens=(3, 1, 2), **FIELDS)
        assert lanes(results) == [[1001, 1011, 1111], [1002, 0, 0], [1003, 1033, 0]]
        assert results.h_n[0].tolist() == [[1111], [1002], [1033]]

    def test_a_reversed_sequence_starts_at_its_own_last_step(self, schedule: str) -> None:
        """What is behind the end (20 and 200, 300) never gets into it, nor is h = 1000 lost on the way there."""
        cell = SUM | {"h_0": [1000, 1000, 1000]}
        results = run(schedule, X, [cell], reverse=True, sequence_lens=(3, 1, 2), **FIELDS)
        assert lanes(results) == [[1111, 1110, 1100], [1002, 0, 0], [1033, 1030, 0]]
        assert results.h_n[0].tolist() == [[1111], [1002], [1033]]

    def test_lengths_in_both_directions_of_two_layers(self, schedule: str) -> None:
        """The second layer adds up both outputs of the first: those behind the end must not count there either."""
        fields = RNN | {"bias": False, "steps": 3, "batch": 2}
        both = {"weight_ih": [1, 1], "weight_hh": [1]}
        results = run(
            schedule,
            [[1, 2], [10, 20], [100, 200]],
            [SUM, SUM, both, both],
            bidirectional=True,
            num_layers=2,
            sequence_lens=(3, 1),
            **fields,
        )
        # First layer: (1, 111), (11, 110), (111, 100), together 112, 121, 211; in the second sequence (2, 2) once.
        assert results.output[:, 0].tolist() == [[112, 444], [233, 332], [444, 211]]
        assert results.output[:, 1].tolist() == [[4, 4], [0, 0], [0, 0]]
        assert [h.tolist() for h in results.h_n] == [[[111], [2]], [[111], [2]], [[444], [4]], [[444], [4]]]

    def test_relu_and_clip(self, schedule: str) -> None:
        """x = 5, -3, 1 from 0: relu gives 5, 2, 3; clipped to 4 first, 4, 1, 2."""
        fields = FIELDS | {"batch": 1, "activations": None, "nonlinearity": "relu"}
        assert lanes(run(schedule, [5, -3, 1], [SUM], **fields)) == [[5, 2, 3]]
        assert lanes(run(schedule, [5, -3, 1], [SUM], clip=4.0, **fields)) == [[4, 1, 2]]
        assert lanes(run(schedule, [5, -9, 1], [SUM], **fields)) == [[5, 0, 1]]


@every_schedule
def test_lengths_of_an_lstm_hold_c_as_well(schedule: str) -> None:
    """i = f = o = 1 (biases): c = c + g and h = c are running sums of x; the second sequence ends after one step."""
    cell = {"weight_ih": [0, 0, 1, 0], "bias_ih": [1, 1, 0, 1], "c_0": [1000, 2000]}
    fields = LSTM | {"steps": 2, "batch": 2, "sequence_lens": (2, 1)}
    results = run(schedule, [[1, 2], [10, 20]], [cell], **fields)
    assert lanes(results) == [[1001, 1011], [2002, 0]]
    assert (results.h_n[0].tolist(), results.c_n[0].tolist()) == ([[1011], [2002]], [[1011], [2002]])  # type: ignore[union-attr]
    backwards = run(schedule, [[1, 2], [10, 20]], [cell], reverse=True, **fields)
    assert lanes(backwards) == [[1011, 1010], [2002, 0]]


@every_schedule
def test_lengths_of_a_gru(schedule: str) -> None:
    """z = 0 and r = 1: h = x + h is a running sum; in either form."""
    cell = {"weight_ih": [0, 0, 1], "weight_hh": [0, 0, 1], "bias_ih": [1, 0, 0], "h_0": [1000, 2000]}
    for form in (True, False):
        fields = GRU | {"steps": 2, "batch": 2, "sequence_lens": (2, 1), "linear_before_reset": form}
        assert lanes(run(schedule, [[1, 2], [10, 20]], [cell], **fields)) == [[1001, 1011], [2002, 0]]
        reverse = run(schedule, [[1, 2], [10, 20]], [cell], reverse=True, **fields)
        assert lanes(reverse) == [[1011, 1010], [2002, 0]]


@pytest.mark.parametrize("schedule", ["fused_interleaved", "fused_interleaved_wavefront", "split_gate_major_wavefront"])
def test_layers_of_different_kinds(schedule: str) -> None:
    """An RNN's running sums 1, 11, 111 go into a GRU (z = 0, r = 1: sums again), those into an LSTM that doubles them.

    GRU: 1, 12, 123. LSTM: i = f = o = 1 with W_ig = 2 and forget bias 1: c and h are 2, 2 + 24, 2 + 24 + 246.
    Side by side, the RNN's activation unit and the others' element-wise unit write h at a time, each through a port of
    its own: not into a bank with one.
    """
    gru = {"kind": GRU["kind"], "hidden_size": 1, "activations": (IDENTITY,) * 2}
    lstm = {"kind": LSTM["kind"], "hidden_size": 1, "activations": (IDENTITY,) * 3}
    cells = [
        SUM,
        {"weight_ih": [0, 0, 1], "weight_hh": [0, 0, 1], "bias_ih": [1, 0, 0]},
        {"weight_ih": [0, 0, 2, 0], "bias_ih": [1, 1, 0, 1]},
    ]
    fields = RNN | {"bias": False, "steps": 3, "next_layers": (gru, lstm)}
    machine = ONE_BANK if schedule.endswith("_wavefront") else MACHINE
    results = run_on(machine, schedule, [1, 10, 100], cells, **fields)
    assert lanes(results) == [[2, 26, 272]]
    assert [h.tolist() for h in results.h_n] == [[[111]], [[123]], [[272]]]
    assert [c is None or c.tolist() for c in results.c_n] == [True, True, [[272]]]
    assert results.output.dtype == np.float64
