"""Cycle counts of whole runs, derived by hand from docs/microarchitecture/ before the simulator was asked.

Every table lists each op's start, free (it has read its operands and its unit takes the next op) and done (its results
are visible), with the reason for its start. The machine is by_hand.HAND_2X2 unless a test says otherwise; its services
for LSTM(3, 2), float32 (32 bits = 4 bytes), batch 1:

    MAC array   2 x 2; depth = SRAM read 1 + multiplier 1 + ceil(log2 2) = 1 level * 1 + accumulator 1 = 4
                mac    K = 5: ceil(5/2) = 3;  weights of 2 rows: 2*5*32 = 320 bits / 128 = 2.5 -> 3    -> 3
                mac_x  K = 3: ceil(3/2) = 2;  2*3*32 = 192 bits / 128 = 1.5 -> 2                       -> 2
                mac_h  K = 2: ceil(2/2) = 1;  2*2*32 = 128 bits / 128 = 1                              -> 1
                a word is a chunk's weights, so that none waits; x and h are a word each, in memories of their own;
                the bias has a port of its own and costs nothing
    activation  1 value a cycle, depth 2: 3 for i, f, o of one hidden unit, 1 for its g or tanh(c); a bank each
    elementwise 1 hidden unit a cycle, depth 2 (cell) or 1 (hidden); i, f, g and c, or o and tanh(c), lie in banks of
                their own: a word each, at the same time
    DRAM        4 bytes a cycle, depth 5, bursts of 8 bytes: x is 12 bytes = 2 bursts = 16 -> 4;  h or c is 8 -> 2

Results are a word in each bank, so that those of two ops of a unit are at least a cycle apart.

Issue takes no time and the queues hold 64 ops, so that an op starts when its unit is free and its tokens are there. A
token arrives a cycle after what it tells of: where an op waits for "done 10", it starts at 11. It is a token, too, that
tells the sequencer of the start of a phase: so the tables count from the cycle after that.
x has 2 slots (prefetch_steps = 1), h has 2, the accumulators 16 entries.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from archsim.api import simulate
from archsim.families.load import load_arch
from archsim.trace import Window
from archsim.workload import load_workload
from tests.engines.events.by_hand import check, parse_table, recorded, run, without_steps_from

INTERLEAVED_PROLOGUE = """
prologue from 1
  load W_ih[0]   0  16  21   i, f, o, g of unit 0: 4 rows of 12 B in different places, 2 bursts each: 64 B
  load W_hh[0]  16  24  29   4 rows of 8 B, 1 burst each: 32 B
  load bias[0]  24  32  37   4 values of 4 B, 1 burst each: 32 B
  load W_ih[1]  32  48  53   the same for hidden unit 1
  load W_hh[1]  48  56  61
  load bias[1]  56  64  69
  load h_0      64  66  71   8 B
  load c_0      66  68  73   8 B
  load x_0      68  72  77   12 B = 2 bursts; prefetch_steps = 1, so x_0 alone
"""

GATE_MAJOR_PROLOGUE = """
prologue from 1
  load W_ih[0]   0   6  11   both rows of i lie side by side: 24 B = 3 bursts
  load W_hh[0]   6  10  15   2 rows of 8 B: 16 B = 2 bursts
  load bias[0]  10  12  17   8 B
  load W_ih[1]  12  18  23   f
  load W_hh[1]  18  22  27
  load bias[1]  22  24  29
  load W_ih[2]  24  30  35   g
  load W_hh[2]  30  34  39
  load bias[2]  34  36  41
  load W_ih[3]  36  42  47   o
  load W_hh[3]  42  46  51
  load bias[3]  46  48  53
  load h_0      48  50  55
  load c_0      50  52  57
  load x_0      52  56  61
"""

EPILOGUE = """
epilogue from {}
  store h_n      0   2   7   8 B
  store c_n      2   4   9   8 B
"""

FUSED_INTERLEAVED_STEPS = """
step 0 from 79
  load x[t+1]    0   4   9   its slot (1) has not been read in the body
  mac[0.0]       0   3   7   rows i, f of unit 0: x_0 and h_0 were loaded in the prologue, which was over at 78
  mac[0.1]       3   6  10   rows o, g of unit 0, when the array is free
  sigmoid_ifo[0] 11 14  16   o comes with mac[0.1] done 10
  tanh_g[0]     14  15  17   its sums are there since 10, the unit is free at 14
  cell[0]       18  19  21   tanh_g[0] done 17
  mac[1.0]       6   9  13   unit 1, in 2 of the 4 slots of the accumulators that nobody has used
  mac[1.1]       9  12  16
  sigmoid_ifo[1] 17 20  22   mac[1.1] done 16
  tanh_g[1]     20  21  23
  cell[1]       24  25  27   tanh_g[1] done 23
  tanh_c[0]     22  23  25   cell[0] done 21 (unit free at 21)
  hidden[0]     26  27  28   tanh_c[0] done 25; cell[1] writes c in cycle 26, this writes h in cycle 27
  tanh_c[1]     28  29  31   cell[1] done 27
  hidden[1]     32  33  34   tanh_c[1] done 31
  store h       35  37  42   hidden[1] done 34
step 1 = step 0 + 35 but
  load x[t+1]    2   6  11   its slot is free since mac[1.1] free 12 of step 0; DRAM is busy with "store h" until 37
step 2 = step 1 + 35
step 3 = step 2 + 35 but
  load x[t+1]    -   -   -   there is no x_4
"""

FUSED_GATE_MAJOR_STEPS = """
step 0 from 63
  load x[t+1]    0   4   9
  mac[0]         0   3   7   i of both hidden units
  mac[1]         3   6  10   f
  mac[2]         6   9  13   g
  mac[3]         9  12  16   o
  sigmoid_i[0]   8  10  12   mac[0] done 7; 2 values
  sigmoid_f[1]  11  13  15   mac[1] done 10
  tanh_g[2]     14  16  18   mac[2] done 13
  cell[2]       19  21  23   tanh_g[2] done 18; 2 hidden units
  sigmoid_o[3]  17  19  21   mac[3] done 16
  tanh_c[2]     24  26  28   cell[2] done 23
  hidden[3]     29  31  32   tanh_c[2] done 28
  store h       33  35  40   hidden[3] done 32
step 1 = step 0 + 33 but
  load x[t+1]    2   6  11   DRAM is free after "store h", at 35
step 2 = step 1 + 33
step 3 = step 2 + 33 but
  load x[t+1]    -   -   -
"""

SPLIT_INTERLEAVED_STEPS = """
step 0 from 79
  load x[t+1]    0   4   9
  mac_x[0.0]     0   2   6   4 slots: the x parts of all (2) groups run ahead
  mac_x[0.1]     2   4   8
  mac_x[1.0]     4   6  10
  mac_x[1.1]     6   8  12
  mac_h[0.0]     8   9  13   h_0 is there; it continues a sum on the same unit and waits for nothing
  mac_h[0.1]     9  10  14
  sigmoid_ifo[0] 15 18  20   mac_h[0.1] done 14
  tanh_g[0]     18  19  21
  cell[0]       22  23  25   tanh_g[0] done 21
  mac_h[1.0]    10  11  15
  mac_h[1.1]    11  12  16
  sigmoid_ifo[1] 19 22  24   mac_h[1.1] done 16, the unit is free at 19
  tanh_g[1]     22  23  25
  cell[1]       26  27  29   tanh_g[1] done 25
  tanh_c[0]     26  27  29   cell[0] done 25 (unit free at 23)
  hidden[0]     30  31  32   tanh_c[0] done 29
  tanh_c[1]     30  31  33   cell[1] done 29
  hidden[1]     34  35  36   tanh_c[1] done 33
  store h       37  39  44   hidden[1] done 36
step 1 from 79
  load x[t+1]   39  43  48   DRAM free at 39
  mac_x[0.0]    12  14  18   x_1 is there since 9, the slots of step 1 are the other two: when the array is free
  mac_x[0.1]    14  16  20
  mac_x[1.0]    16  18  22
  mac_x[1.1]    18  20  24
  mac_h[0.0]    37  38  42   hidden[1] of step 0 done 36
  mac_h[0.1]    38  39  43
  sigmoid_ifo[0] 44 47  49   mac_h[0.1] done 43
  tanh_g[0]     47  48  50
  cell[0]       51  52  54   tanh_g[0] done 50; c of step 0 (done 25) is there long since
  mac_h[1.0]    39  40  44
  mac_h[1.1]    40  41  45
  sigmoid_ifo[1] 48 51  53   mac_h[1.1] done 45, the unit is free at 48
  tanh_g[1]     51  52  54
  cell[1]       55  56  58   tanh_g[1] done 54
  tanh_c[0]     55  56  58   cell[0] done 54 (unit free at 52)
  hidden[0]     59  60  61   tanh_c[0] done 58
  tanh_c[1]     59  60  62   cell[1] done 58
  hidden[1]     63  64  65   tanh_c[1] done 62
  store h       66  68  73   hidden[1] done 65
step 2 = step 1 + 29 but
  mac_x[0.0]    20  22  26   x_2 done 48 = 19 + 29: it was loaded behind "store h"
  mac_x[0.1]    22  24  28
  mac_x[1.0]    24  26  30
  mac_x[1.1]    26  28  32   free 57, before hidden[1] of step 1 done 65: no harm done
step 3 = step 2 + 29 but
  load x[t+1]    -   -   -
"""

SPLIT_GATE_MAJOR_STEPS = """
step 0 from 63
  load x[t+1]    0   4   9
  mac_x[0]       0   2   6   slot 0
  mac_h[0]       2   3   7
  mac_x[1]       3   5   9   slot 1
  sigmoid_i[0]   8  10  12   mac_h[0] done 7
  mac_h[1]       5   6  10
  mac_x[2]      11  13  17   slot 0: sigmoid_i[0] free 10 (the array was free at 6)
  sigmoid_f[1]  11  13  15   mac_h[1] done 10
  mac_h[2]      13  14  18
  mac_x[3]      14  16  20   slot 1: sigmoid_f[1] free 13; so it is known when the array is free
  tanh_g[2]     19  21  23   mac_h[2] done 18
  cell[2]       24  26  28   tanh_g[2] done 23
  mac_h[3]      16  17  21
  sigmoid_o[3]  22  24  26   mac_h[3] done 21
  tanh_c[2]     29  31  33   cell[2] done 28
  hidden[3]     34  36  37   tanh_c[2] done 33
  store h       38  40  45   hidden[3] done 37
step 1 from 63
  load x[t+1]   40  44  49   DRAM free at 40
  mac_x[0]      22  24  28   slot 0: tanh_g[2] of step 0 free 21 (array free at 17, x_1 done 9)
  mac_h[0]      38  39  43   hidden[3] of step 0 done 37
  mac_x[1]      39  41  45   slot 1: sigmoid_o[3] of step 0 is free since 24
  sigmoid_i[0]  44  46  48   mac_h[0] done 43
  mac_h[1]      41  42  46
  mac_x[2]      47  49  53   slot 0: sigmoid_i[0] free 46
  sigmoid_f[1]  47  49  51   mac_h[1] done 46
  mac_h[2]      49  50  54
  mac_x[3]      50  52  56   slot 1: sigmoid_f[1] free 49
  tanh_g[2]     55  57  59   mac_h[2] done 54
  cell[2]       60  62  64   tanh_g[2] done 59
  mac_h[3]      52  53  57
  sigmoid_o[3]  58  60  62   mac_h[3] done 57
  tanh_c[2]     65  67  69   cell[2] done 64
  hidden[3]     70  72  73   tanh_c[2] done 69
  store h       74  76  81   hidden[3] done 73
step 2 = step 1 + 36
step 3 = step 2 + 36 but
  load x[t+1]    -   -   -
"""


class TestFusedInterleaved:
    """R = 2 < 4: a group is one hidden unit, its 4 rows i, f, o, g in 2 tiles; 2 groups, 4 accumulator slots.

    A step takes 35 cycles: 4 tiles * 3 = 12, and then, behind the last tile, the chain 4 (MAC depth) + 3 (sigmoid i, f,
    o) + 1 + 2 (tanh g) + 1 + 2 (cell) + 1 + 2 (tanh c) + 1 + 1 (hidden) = 18, and 5 tokens: one from the array to the
    activation, two there and back between activation and element-wise unit, one from there to the array.
    """

    def test_every_op(self) -> None:
        """The last "store h" is done 42 after the start of step 3: 79 + 105 + 42 = 226, and 10 for the epilogue."""
        table = INTERLEAVED_PROLOGUE + FUSED_INTERLEAVED_STEPS + EPILOGUE.format(227)
        check(run("fused_interleaved", "lstm:3,2,t=4"), table, total=236)

    @pytest.mark.parametrize(("steps", "body_end"), [(1, 79 + 42), (2, 79 + 35 + 42)])
    def test_short_sequences(self, steps: int, body_end: int) -> None:
        body = without_steps_from(steps, FUSED_INTERLEAVED_STEPS)
        table = INTERLEAVED_PROLOGUE + body + EPILOGUE.format(body_end + 1)
        check(run("fused_interleaved", f"lstm:3,2,t={steps}"), table, total=body_end + 10)


class TestFusedGateMajor:
    """A group is one gate of both hidden units: 4 groups of 1 tile, 8 accumulator slots; tanh(c) one group later.

    A step takes 33 cycles: g is done at 18, then the chain cell 2 + 2, tanh c 2 + 2, hidden 2 + 1, with a token in
    front of each and one behind, runs to 33; that the fourth tile is free at 12 does not matter.
    """

    def test_every_op(self) -> None:
        """63 + 3 * 33 + 40 = 202, and 10 for the epilogue."""
        table = GATE_MAJOR_PROLOGUE + FUSED_GATE_MAJOR_STEPS + EPILOGUE.format(203)
        check(run("fused_gate_major", "lstm:3,2,t=4"), table, total=212)

    @pytest.mark.parametrize(("steps", "body_end"), [(1, 63 + 40), (2, 63 + 33 + 40)])
    def test_short_sequences(self, steps: int, body_end: int) -> None:
        body = without_steps_from(steps, FUSED_GATE_MAJOR_STEPS)
        table = GATE_MAJOR_PROLOGUE + body + EPILOGUE.format(body_end + 1)
        check(run("fused_gate_major", f"lstm:3,2,t={steps}"), table, total=body_end + 10)


class TestSplitInterleaved:
    """4 slots, 2 groups: all x parts of step t+1 run while step t's last hidden update drains.

    A step takes 29 cycles in place of 35: 4 tiles * 1 = 4, and a tail of 25 (sigmoid of group 1 waits 2 cycles for
    the unit, which is 2 more than the tail of fused).
    """

    def test_every_op(self) -> None:
        """Step 3's origin is 79 + 2 * 29, the rows are those of step 1: done at 79 + 58 + 73 = 210."""
        table = INTERLEAVED_PROLOGUE + SPLIT_INTERLEAVED_STEPS + EPILOGUE.format(211)
        check(run("split_interleaved", "lstm:3,2,t=4"), table, total=220)

    @pytest.mark.parametrize(("steps", "body_end"), [(1, 79 + 44), (2, 79 + 73)])
    def test_short_sequences(self, steps: int, body_end: int) -> None:
        body = without_steps_from(steps, SPLIT_INTERLEAVED_STEPS)
        table = INTERLEAVED_PROLOGUE + body + EPILOGUE.format(body_end + 1)
        check(run("split_interleaved", f"lstm:3,2,t={steps}"), table, total=body_end + 10)


class TestSplitGateMajor:
    """4 accumulator entries = 2 slots of 2 rows: the x part runs one group ahead, and waits for its slot.

    Program order of the MAC array: x0, h0, x1, h1, x2, h2, x3, h3; group g uses slot g mod 2, which the activation of
    group g - 2 must have read. From step 1 on a step takes 36 cycles.
    """

    def test_every_op(self) -> None:
        """63 + 2 * 36 + 81 = 216, and 10 for the epilogue."""
        table = GATE_MAJOR_PROLOGUE + SPLIT_GATE_MAJOR_STEPS + EPILOGUE.format(217)
        check(run("split_gate_major", "lstm:3,2,t=4", "accumulators.entries=4"), table, total=226)

    @pytest.mark.parametrize(("steps", "body_end"), [(1, 63 + 45), (2, 63 + 81)])
    def test_short_sequences(self, steps: int, body_end: int) -> None:
        body = without_steps_from(steps, SPLIT_GATE_MAJOR_STEPS)
        table = GATE_MAJOR_PROLOGUE + body + EPILOGUE.format(body_end + 1)
        workload = f"lstm:3,2,t={steps}"
        check(run("split_gate_major", workload, "accumulators.entries=4"), table, total=body_end + 10)


class TestOtherMachines:
    def test_3x2_split_interleaved_with_one_accumulator_slot(self) -> None:
        """R = 3 < 4: the tiles of a group are i, f, o and g alone; 4 entries = 1 slot, so no x part runs ahead.

        Weight port 3 * 64 = 192 bits: mac_x[.0] 3*3*32 = 288 / 192 -> 2 = ceil(3/2); mac_h[.0] 3*2*32 = 192: 1.
        """
        table = (
            INTERLEAVED_PROLOGUE
            + """
step 0 from 79
  load x[t+1]    0   4   9
  mac_x[0.0]     0   2   6
  mac_x[0.1]     2   4   8
  mac_h[0.0]     4   5   9
  mac_h[0.1]     5   6  10
  sigmoid_ifo[0] 10 13  15   mac_h[0.0] done 9: it has all three
  tanh_g[0]     13  14  16   mac_h[0.1] is done at 10, the unit is free at 13
  cell[0]       17  18  20   tanh_g[0] done 16
  mac_x[1.0]    14  16  20   rows 0-2 of the only slot: sigmoid_ifo[0] free 13 (the array since 6)
  mac_x[1.1]    16  18  22   row 3: tanh_g[0] free 14, the array is free at 16
  mac_h[1.0]    18  19  23
  mac_h[1.1]    19  20  24
  sigmoid_ifo[1] 24 27  29   mac_h[1.0] done 23
  tanh_g[1]     27  28  30   mac_h[1.1] is done at 24
  cell[1]       31  32  34   tanh_g[1] done 30
  tanh_c[0]     28  29  31   cell[0] done 20, but behind tanh_g[1] in order
  hidden[0]     32  33  35   tanh_c[0] done 31, the unit is free at 32; cell[1] writes in cycle 33
  tanh_c[1]     35  36  38   cell[1] done 34
  hidden[1]     39  40  41   tanh_c[1] done 38
  store h       42  44  49   hidden[1] done 41
step 1 from 79
  load x[t+1]   44  48  53   DRAM free at 44
  mac_x[0.0]    28  30  34   sigmoid_ifo[1] of step 0 free 27
  mac_x[0.1]    30  32  36   tanh_g[1] free 28
  mac_h[0.0]    42  43  47   hidden[1] of step 0 done 41
  mac_h[0.1]    43  44  48
  sigmoid_ifo[0] 48 51  53   mac_h[0.0] done 47
  tanh_g[0]     51  52  54
  cell[0]       55  56  58
  mac_x[1.0]    52  54  58   sigmoid_ifo[0] free 51
  mac_x[1.1]    54  56  60
  mac_h[1.0]    56  57  61
  mac_h[1.1]    57  58  62
  sigmoid_ifo[1] 62 65  67   mac_h[1.0] done 61
  tanh_g[1]     65  66  68
  cell[1]       69  70  72
  tanh_c[0]     66  67  69
  hidden[0]     70  71  73   cell[1] writes in cycle 71
  tanh_c[1]     73  74  76   cell[1] done 72
  hidden[1]     77  78  79
  store h       80  82  87
step 2 = step 1 + 38 but
  load x[t+1]    -   -   -
"""
            + EPILOGUE.format(79 + 38 + 87 + 1)
        )
        overrides = ("mac_array.rows=3", "weight_sram.banks=3", "accumulators.entries=4")
        check(run("split_interleaved", "lstm:3,2,t=3", *overrides), table, total=214)

    def test_4x2_fused_interleaved_with_issue_1_and_queues_of_1(self) -> None:
        """One op a cycle is issued, and one can wait in front of each unit.

        Op k is issued at t(k) = max(t(k-1), start of the op before it on its unit) + 1, where t(-1) is the cycle after
        the start of the phase, from which the tables of the steps count. A group is one tile of 4 rows; weight port
        4 * 64 = 256 bits: 4*5*32 = 640 / 256 -> 3 = ceil(5/2). DRAM's first op is issued at 2, the others stand in its
        queue when it is free.
        """
        table = """
prologue from 2
  load W_ih[0]   0  16  21   issued at 2
  load W_hh[0]  16  24  29
  load bias[0]  24  32  37
  load W_ih[1]  32  48  53
  load W_hh[1]  48  56  61
  load bias[1]  56  64  69
  load h_0      64  66  71
  load c_0      66  68  73
  load x_0      68  72  77
step 0 from 80
  load x[t+1]    1   5  10   issued at  1; the prologue is over at 79
  mac[0]         2   5   9              2
  sigmoid_ifo[0] 10 13  15              3; mac[0] done 9
  tanh_g[0]     13  14  16             11: sigmoid_ifo[0] left the queue at 10
  cell[0]       17  18  20             12; tanh_g[0] done 16
  mac[1]        13  16  20             13: behind the ops above; the array has been free since 5
  sigmoid_ifo[1] 21 24  26             14: tanh_g[0] left at 13; mac[1] done 20
  tanh_g[1]     24  25  27             22: sigmoid_ifo[1] left at 21
  cell[1]       28  29  31             23; tanh_g[1] done 27
  tanh_c[0]     25  26  28             25: tanh_g[1] left at 24
  hidden[0]     29  30  32             29: cell[1] left at 28; tanh_c[0] done 28; cell[1] writes in cycle 30
  tanh_c[1]     32  33  35             30; cell[1] done 31
  hidden[1]     36  37  38             31; tanh_c[1] done 35
  store h       39  41  46             32; hidden[1] done 38
step 1 from 80
  load x[t+1]   41  45  50             40: "store h" left at 39; DRAM is free at 41
  mac[0]        41  44  48             41: behind the load; hidden[1] was done at 38
  sigmoid_ifo[0] 49 52  54             42; mac[0] done 48
  tanh_g[0]     52  53  55             50
  cell[0]       56  57  59             51; tanh_g[0] done 55
  mac[1]        52  55  59             52
  sigmoid_ifo[1] 60 63  65             53; mac[1] done 59
  tanh_g[1]     63  64  66             61
  cell[1]       67  68  70             62; tanh_g[1] done 66
  tanh_c[0]     64  65  67             64
  hidden[0]     68  69  71             68; cell[1] writes in cycle 69
  tanh_c[1]     71  72  74             69; cell[1] done 70
  hidden[1]     75  76  77             70; tanh_c[1] done 74
  store h       78  80  85             71; hidden[1] done 77
step 2 from 80
  mac[0]        78  81  85             73: at 72 the sequencer passed over the load; hidden[1] done 77
  sigmoid_ifo[0] 86 89  91             74; mac[0] done 85
  tanh_g[0]     89  90  92             87
  cell[0]       93  94  96             88; tanh_g[0] done 92
  mac[1]        89  92  96             89
  sigmoid_ifo[1] 97 100 102            90; mac[1] done 96
  tanh_g[1]    100 101 103             98
  cell[1]      104 105 107             99; tanh_g[1] done 103
  tanh_c[0]    101 102 104            101
  hidden[0]    105 106 108            105; cell[1] writes in cycle 106
  tanh_c[1]    108 109 111            106; cell[1] done 107
  hidden[1]    112 113 114            107; tanh_c[1] done 111
  store h      115 117 122            108; hidden[1] done 114
epilogue from 204
  store h_n      0   2   7   body ends at 80 + 122 = 202, issued at 204
  store c_n      2   4   9
"""
        overrides = (
            "mac_array.rows=4",
            "weight_sram.banks=4",
            "sequencer.issue_cycles=1",
            "sequencer.queue_depth=1",
        )
        check(run("fused_interleaved", "lstm:3,2,t=3", *overrides), table, total=213)

    def test_2x2_fused_gate_major_with_ragged_groups_and_a_narrow_weight_port(self) -> None:
        """H = 3: each gate is a group of 2 rows and one of 1 row; tanh(c) is deferred by 2 groups.

        K = 6, so 3 chunks; a tile of 2 rows reads 2*6*32 = 384 bits through 2 * 48 = 96: exactly 4 words, so 4 cycles,
        one more than the datapath needs. A word is 3 weights and a chunk takes 4: words 0 and 1, then 2, then 3, so
        that chunks go in cycles 1, 2 and 3. A tile of 1 row reads 192 bits: 2 words, each there before its chunk, so 3.
        The biases would be 64 and 32 bits more and make it 5 cycles and 3. x, h and c are 12 bytes, 4 cycles of DRAM,
        and pass the weight SRAM's write port within that (24 bytes are 192 bits / 96 = 2 cycles).
        """
        table = """
prologue from 1
  load W_ih[0]   0   6  11   2 rows of i: 24 B
  load W_hh[0]   6  12  17   24 B
  load bias[0]  12  14  19   8 B
  load W_ih[1]  14  18  23   1 row of i: 12 B = 2 bursts
  load W_hh[1]  18  22  27
  load bias[1]  22  24  29   4 B = 1 burst
  load W_ih[2]  24  30  35
  load W_hh[2]  30  36  41
  load bias[2]  36  38  43
  load W_ih[3]  38  42  47
  load W_hh[3]  42  46  51
  load bias[3]  46  48  53
  load W_ih[4]  48  54  59
  load W_hh[4]  54  60  65
  load bias[4]  60  62  67
  load W_ih[5]  62  66  71
  load W_hh[5]  66  70  75
  load bias[5]  70  72  77
  load W_ih[6]  72  78  83
  load W_hh[6]  78  84  89
  load bias[6]  84  86  91
  load W_ih[7]  86  90  95
  load W_hh[7]  90  94  99
  load bias[7]  94  96 101
  load h_0      96 100 105
  load c_0     100 104 109
  load x_0     104 108 113
step 0 from 115
  load x[t+1]    0   4   9
  mac[0]         0   4   8   i, 2 rows
  mac[1]         4   7  11   i, 1 row
  mac[2]         7  11  15   f
  mac[3]        11  14  18
  mac[4]        14  18  22   g
  mac[5]        18  21  25
  mac[6]        21  25  29   o
  mac[7]        25  28  32
  sigmoid_i[0]   9  11  13   mac[0] done 8
  sigmoid_i[1]  12  13  15   mac[1] done 11
  sigmoid_f[2]  16  18  20   mac[2] done 15
  sigmoid_f[3]  19  20  22   mac[3] done 18
  tanh_g[4]     23  25  27   mac[4] done 22
  cell[4]       28  30  32   tanh_g[4] done 27; 2 hidden units
  tanh_g[5]     26  27  29   mac[5] done 25
  cell[5]       30  31  33   tanh_g[5] done 29, the unit is free at 30
  sigmoid_o[6]  30  32  34   mac[6] done 29
  tanh_c[4]     33  35  37   cell[4] done 32
  hidden[6]     38  40  41   tanh_c[4] done 37
  sigmoid_o[7]  35  36  38   mac[7] was done at 32, the unit is free at 35
  tanh_c[5]     36  37  39   cell[5] was done at 33
  hidden[7]     40  41  42   tanh_c[5] done 39, the unit is free at 40
  store h       43  47  52   hidden[7] done 42
step 1 = step 0 + 43 but
  load x[t+1]    -   -   -
epilogue from 211
  store h_n      0   4   9   115 + 43 + 52 = 210
  store c_n      4   8  13
"""
        check(run("fused_gate_major", "lstm:3,3,t=2", "weight_sram.port_bits=48"), table, total=224)

    def test_2x2_fused_interleaved_with_a_batch_of_2(self) -> None:
        """Every op works on 2 vectors: tiles take ceil(5/2) * 2 = 6 cycles while the weights are read once (3).

        A word of weights is a chunk's, which stay for 2 cycles; x is 192 bits, 2 words: chunk 0 of both vectors, then
        chunk 1, which is needed 2 cycles later. A group needs 4 rows * 2 = 8 of the 16 accumulators: 2 slots. x is
        24 B = 6 cycles of DRAM, h and c are 16 B = 4.
        """
        table = """
prologue from 1
  load W_ih[0]   0  16  21   the weights as ever
  load W_hh[0]  16  24  29
  load bias[0]  24  32  37
  load W_ih[1]  32  48  53
  load W_hh[1]  48  56  61
  load bias[1]  56  64  69
  load h_0      64  68  73
  load c_0      68  72  77
  load x_0      72  78  83
step 0 from 85
  mac[0.0]       0   6  10
  mac[0.1]       6  12  16
  sigmoid_ifo[0] 17 23  25   mac[0.1] done 16; 6 values
  tanh_g[0]     23  25  27
  cell[0]       28  30  32   tanh_g[0] done 27; 2 hidden units
  mac[1.0]      12  18  22
  mac[1.1]      18  24  28
  sigmoid_ifo[1] 29 35  37   mac[1.1] done 28
  tanh_g[1]     35  37  39
  cell[1]       40  42  44   tanh_g[1] done 39
  tanh_c[0]     37  39  41   cell[0] was done at 32, the unit is free at 37
  hidden[0]     42  44  45   tanh_c[0] done 41, the unit is free at 42
  tanh_c[1]     45  47  49   cell[1] done 44
  hidden[1]     50  52  53   tanh_c[1] done 49
  store h       54  58  63   hidden[1] done 53
epilogue from 149
  store h_n      0   4   9   85 + 63 = 148
  store c_n      4   8  13
"""
        check(run("fused_interleaved", "lstm:3,2,t=1,b=2"), table, total=162)

    def test_2x2_fused_interleaved_with_one_bank_for_all_state(self) -> None:
        """h, c and gates behind the same port: the operands of an op take turns, a word each.

        A cell update reads i, f, g and c, all of which its only step needs: 4 cycles. A hidden update reads o and
        tanh(c): 2. What sigmoid_ifo writes is 96 bits, one word. h is the only operand of a tile there.
        """
        table = (
            INTERLEAVED_PROLOGUE
            + """
step 0 from 79
  load x[t+1]    0   4   9
  mac[0.0]       0   3   7
  mac[0.1]       3   6  10
  sigmoid_ifo[0] 11 14  16   mac[0.1] done 10
  tanh_g[0]     14  15  17
  cell[0]       18  22  24   tanh_g[0] done 17
  mac[1.0]       6   9  13
  mac[1.1]       9  12  16
  sigmoid_ifo[1] 17 20  22   mac[1.1] done 16
  tanh_g[1]     20  21  23
  cell[1]       24  28  30   tanh_g[1] done 23 (unit free at 22)
  tanh_c[0]     25  26  28   cell[0] done 24
  hidden[0]     29  31  32   tanh_c[0] done 28 (unit free at 28)
  tanh_c[1]     31  32  34   cell[1] done 30
  hidden[1]     35  37  38   tanh_c[1] done 34
  store h       39  41  46   hidden[1] done 38
step 1 = step 0 + 39 but
  load x[t+1]    -   -   -
"""
            + EPILOGUE.format(79 + 39 + 46 + 1)
        )
        simulation = run("fused_interleaved", "lstm:3,2,t=2", "state_buffer.banks=one")
        check(simulation, table, total=174)
        # 2 steps of 2 cell updates, 3 cycles each, and 2 hidden updates, 1 each
        assert simulation.stats.unit_cycle_stacks["elementwise"]["wait_port"] == 2 * (2 * 3 + 2 * 1)

    def test_2x2_fused_interleaved_behind_a_slow_dram(self) -> None:
        """0.5 bytes a cycle: x takes 32 cycles, h 16; DRAM is busy nearly always and the array waits for x.

        From the start of a step's first tile the units do what FUSED_INTERLEAVED_STEPS says: hidden[1] is done 34
        later. With S(t) the start of step t's first tile and DRAM in order:

            t   load x[t+1]       store h           S(t+1): x[t+1] done, later than S(t) + 34, and a token
            0     0  32  37        35  51  56        38   hidden[1] done 34, DRAM free 32
            1    51  83  88        83  99 104        89   the slot of x_0 is free since 12
            2    99 131 136       131 147 152       137
            3     -   -   -       172 188 193             hidden[1] done 137 + 34
        """
        simulation = run("fused_interleaved", "lstm:3,2,t=4", "dram.bandwidth_bytes_per_cycle=0.5")
        start = 1 + 8 * 72 + 5 + 1
        dram = parse_table(f"""
step 0 from {start}
  load x[t+1]    0  32  37
  mac[0.0]       0   3   7
  hidden[1]     32  33  34
  store h       35  51  56
step 1 from {start}
  load x[t+1]   51  83  88
  mac[0.0]      38  41  45
  hidden[1]     70  71  72
  store h       83  99 104
step 2 from {start}
  load x[t+1]   99 131 136
  mac[0.0]      89  92  96
  hidden[1]    121 122 123
  store h      131 147 152
step 3 from {start}
  mac[0.0]     137 140 144
  hidden[1]    169 170 171
  store h      172 188 193
epilogue from {start + 193 + 1}
  store h_n      0  16  21
  store c_n     16  32  37
""")
        times = recorded(simulation)
        assert {key: times[key] for key in dram} == dram
        assert simulation.stats.latency_cycles == start + 193 + 1 + 37
        # The array waits from the end of a step's tiles, S(t) + 12, until S(t + 1).
        assert simulation.stats.cycle_stack["wait_input"] == (38 - 12) + (89 - 50) + (137 - 101)


class TestWorkedExample:
    """The table in docs/microarchitecture/cycles.md, which was derived by hand like those above."""

    def test_the_document_is_right(self) -> None:
        page = Path(__file__).resolve().parents[3] / "docs/microarchitecture/cycles.md"
        document = page.read_text(encoding="utf-8")
        (table,) = re.findall(r"^```text\n(.*?)^```", document, flags=re.MULTILINE | re.DOTALL)
        workload = load_workload("lstm_3_2_t4")
        simulation = simulate(load_arch("tiny_2x2"), workload, timing_only=True, window=Window(0, 4))
        check(simulation, table, total=198)
        assert simulation.stats.cycle_stack["wait_recurrence"] == 3 * 23
        assert simulation.stats.bounds["recurrence"] == simulation.stats.cycles_per_step == 35


Stacks = dict[str, dict[str, int]]
"""Cycles of each unit by bucket."""


class TestCycleStacks:
    """Where each unit's cycles went, added up by hand from the tables; every stack sums to the run."""

    @pytest.fixture
    def stacks(self) -> Stacks:
        stacks = run("fused_interleaved", "lstm:3,2,t=4").stats.unit_cycle_stacks
        return {unit: {bucket: n for bucket, n in stack.items() if n} for unit, stack in stacks.items()}

    def test_mac_array(self, stacks: Stacks) -> None:
        """16 tiles * 3 = 48 cycles do 160 MACs, 40 cycles' worth at 4 a cycle. Steps 1-3 wait for h from 12 to 35.

        The first tile is issued a cycle after the prologue's end, which is at 78; the body, 148 cycles, ends at 226.
        """
        expected = {"useful": 40, "padding": 8, "wait_issue": 1, "wait_recurrence": 3 * 23}
        # from the first tile on the body has 147 cycles, and the last tile is free at 105 + 12
        assert stacks["mac_array"] == expected | {"prologue": 78, "idle": 147 - 117, "epilogue": 10}

    def test_activation(self, stacks: Stacks) -> None:
        """Step 0 waits 1 + 11 (sigmoid 0), 2 (sigmoid 1: 15 to 17), 1 (tanh_c[0]: 21 to 22) and 5 (tanh_c[1]: from 23).

        Later steps wait 29 to 35 + 11 for sigmoid 0, and the same in between.
        """
        expected = {"useful": 4 * 10, "wait_operand": 12 + 8 + 3 * (17 + 8)}
        assert stacks["activation"] == expected | {"prologue": 78, "idle": 147 - (105 + 29), "epilogue": 10}

    def test_elementwise(self, stacks: Stacks) -> None:
        """cell[0] 1 + 18, cell[1] 19 to 24, hidden[0] 25 to 26, hidden[1] 27 to 32 in step 0; later first 33 to 53."""
        expected = {"useful": 4 * 4, "wait_operand": 19 + 11 + 3 * (20 + 11)}
        assert stacks["elementwise"] == expected | {"prologue": 78, "idle": 147 - (105 + 33), "epilogue": 10}

    def test_dram(self, stacks: Stacks) -> None:
        """72 + 3 loads * 4 + 4 stores * 2 + 4 = 96 cycles of bursts for 304 bytes.

        Bytes: weights 96 + 64, bias 32, h_0 and c_0 16, x 4 * 12, h 4 * 8, h_n and c_n 16. "store h" waits for h from
        4 to 35, then twice from the end of a load (41) to the next h (70), and last from 107 to 140. Each of the three
        phases begins with an op that is issued a cycle after its start, and ends with the 5 cycles of depth.
        """
        expected = {"useful": 304 // 4, "padding": 96 - 76, "wait_issue": 3, "wait_operand": 31 + 29 + 29 + 33}
        assert stacks["dram"] == expected | {"prologue": 5, "idle": 147 - 142, "epilogue": 5}

    def test_port_cycles_of_the_narrow_weight_port(self) -> None:
        """The ragged gate-major run above: 4 tiles a step hold the array one cycle longer for the port.

        48 cycles of the datapath for 144 MACs = 36 cycles' worth; step 1 waits for h from 28 to 43.
        """
        stack = run("fused_gate_major", "lstm:3,3,t=2", "weight_sram.port_bits=48").stats.cycle_stack
        expected = {"useful": 36, "padding": 12, "wait_port": 8, "wait_issue": 1, "wait_recurrence": 15}
        expected |= {"prologue": 114, "idle": 95 - (43 + 28), "epilogue": 14}
        assert {bucket: n for bucket, n in stack.items() if n} == expected

    def test_waits_for_accumulators(self) -> None:
        """The 3x2 split run: mac_x[1.0] waits 6 to 14 in step 0 and 44 to 52 after; mac_x[0.0] 20 to 28, 58 to 66.

        mac_h[0.0] waits for h from 32 to 42 in step 1, 70 to 80 in step 2.
        """
        overrides = ("mac_array.rows=3", "weight_sram.banks=3", "accumulators.entries=4")
        stack = run("split_interleaved", "lstm:3,2,t=3", *overrides).stats.cycle_stack
        assert stack["wait_accumulator"] == 8 + (8 + 8) + (8 + 8)
        assert stack["wait_recurrence"] == 10 + 10

    def test_waits_for_issue(self) -> None:
        """The 4x2 run with queues of 1: mac[0] waits for its issue 1 + 2 cycles, mac[1] from 5 to 13 (step 0).

        In step 1 mac[0] starts at 41, after h (39): the wait from 16 is booked on the sequencer, which came last;
        mac[1] waits 44 to 52. In step 2 mac[0] waits 55 to 78 for h, and mac[1] 81 to 89.
        """
        overrides = ("mac_array.rows=4", "weight_sram.banks=4")
        queues = ("sequencer.issue_cycles=1", "sequencer.queue_depth=1")
        stack = run("fused_interleaved", "lstm:3,2,t=3", *overrides, *queues).stats.cycle_stack
        assert stack["wait_issue"] == (3 + 8) + (25 + 8) + 8
        assert stack["wait_recurrence"] == 23
