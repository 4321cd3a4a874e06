"""Cycle counts of whole runs, derived by hand from docs/microarchitecture/ before the simulator was asked.

Every table lists each op's start, free (it has read its operands and its unit takes the next op) and done (its results
are visible), with the reason for its start. The machine is by_hand.HAND_2X2 unless a test says otherwise; its services
for LSTM(3, 2), float32 (32 bits = 4 bytes), batch 1:

    MAC array   2 x 2; depth = SRAM read 1 + multiplier 1 + ceil(log2 2) = 1 level * 1 + accumulator 1 = 4
                mac    K = 5: ceil(5/2) = 3;  weights of 2 rows: 2*5*32 = 320 bits / 128 = 2.5 -> 3    -> 3
                mac_x  K = 3: ceil(3/2) = 2;  2*3*32 = 192 bits / 128 = 1.5 -> 2                       -> 2
                mac_h  K = 2: ceil(2/2) = 1;  2*2*32 = 128 bits / 128 = 1                              -> 1
                the bias has a port of its own and costs nothing
    activation  1 value a cycle, depth 2: 3 for i, f, o of one hidden unit, 1 for its g or tanh(c)
    elementwise 1 hidden unit a cycle, depth 2 (cell) or 1 (hidden); cell reads i, f, g, c: 4*32 = 128 bits / 128 = 1
    DRAM        4 bytes a cycle, depth 5, bursts of 8 bytes: x is 12 bytes = 2 bursts = 16 -> 4;  h or c is 8 -> 2

Issue takes no time and the queues hold 64 ops, so that an op starts when its unit is free and its tokens are there.
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
prologue from 0
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
prologue from 0
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
step 0 from 77
  load x[t+1]    0   4   9   its slot (1) has not been read in the body
  mac[0.0]       0   3   7   rows i, f of unit 0: x_0 and h_0 were loaded in the prologue
  mac[0.1]       3   6  10   rows o, g of unit 0, when the array is free
  sigmoid_ifo[0] 10 13  15   o comes with mac[0.1] done 10
  tanh_g[0]     13  14  16   its sums are there since 10, the unit is free at 13
  cell[0]       16  17  19   tanh_g[0] done 16
  mac[1.0]       6   9  13   unit 1, in 2 of the 4 slots of the accumulators that nobody has used
  mac[1.1]       9  12  16
  sigmoid_ifo[1] 16 19  21   mac[1.1] done 16
  tanh_g[1]     19  20  22
  cell[1]       22  23  25   tanh_g[1] done 22
  tanh_c[0]     20  21  23   cell[0] done 19, but the activation unit takes tanh_g[1] first
  hidden[0]     23  24  26   tanh_c[0] done 23, the unit is free at 23; cell[1] writes c in cycle 24, so h[0] in 25
  tanh_c[1]     25  26  28   cell[1] done 25
  hidden[1]     28  29  30   tanh_c[1] done 28
  store h       30  32  37   hidden[1] done 30
step 1 = step 0 + 30 but
  load x[t+1]    2   6  11   its slot is free since mac[1.1] free 12 of step 0; DRAM is busy with "store h" until 32
step 2 = step 1 + 30
step 3 = step 2 + 30 but
  load x[t+1]    -   -   -   there is no x_4
"""

FUSED_GATE_MAJOR_STEPS = """
step 0 from 61
  load x[t+1]    0   4   9
  mac[0]         0   3   7   i of both hidden units
  mac[1]         3   6  10   f
  mac[2]         6   9  13   g
  mac[3]         9  12  16   o
  sigmoid_i[0]   7   9  11   mac[0] done 7; 2 values
  sigmoid_f[1]  10  12  14   mac[1] done 10
  tanh_g[2]     13  15  17   mac[2] done 13
  cell[2]       17  19  21   tanh_g[2] done 17; 2 hidden units (and 8 * 32 = 256 bits / 128 = 2)
  sigmoid_o[3]  16  18  20   mac[3] done 16
  tanh_c[2]     21  23  25   cell[2] done 21
  hidden[3]     25  27  28   tanh_c[2] done 25
  store h       28  30  35   hidden[3] done 28
step 1 = step 0 + 28 but
  load x[t+1]    2   6  11   DRAM is free after "store h", at 30
step 2 = step 1 + 28
step 3 = step 2 + 28 but
  load x[t+1]    -   -   -
"""

SPLIT_INTERLEAVED_STEPS = """
step 0 from 77
  load x[t+1]    0   4   9
  mac_x[0.0]     0   2   6   4 slots: the x parts of all (2) groups run ahead
  mac_x[0.1]     2   4   8
  mac_x[1.0]     4   6  10
  mac_x[1.1]     6   8  12
  mac_h[0.0]     8   9  13   h_0 is there; it continues a sum on the same unit and waits for nothing
  mac_h[0.1]     9  10  14
  sigmoid_ifo[0] 14 17  19   mac_h[0.1] done 14
  tanh_g[0]     17  18  20
  cell[0]       20  21  23
  mac_h[1.0]    10  11  15
  mac_h[1.1]    11  12  16
  sigmoid_ifo[1] 18 21  23   mac_h[1.1] done 16, the unit is free at 18
  tanh_g[1]     21  22  24
  cell[1]       24  25  27   tanh_g[1] done 24
  tanh_c[0]     23  24  26   cell[0] done 23 (unit free at 22)
  hidden[0]     26  27  28
  tanh_c[1]     27  28  30   cell[1] done 27
  hidden[1]     30  31  32
  store h       32  34  39
step 1 from 77
  load x[t+1]   34  38  43   DRAM free at 34
  mac_x[0.0]    12  14  18   x_1 is there since 9, the slots of step 1 are the other two: at once
  mac_x[0.1]    14  16  20
  mac_x[1.0]    16  18  22
  mac_x[1.1]    18  20  24
  mac_h[0.0]    32  33  37   hidden[1] of step 0 done 32
  mac_h[0.1]    33  34  38
  sigmoid_ifo[0] 38 41  43   mac_h[0.1] done 38
  tanh_g[0]     41  42  44
  cell[0]       44  45  47   c of step 0 (done 23) is there long since
  mac_h[1.0]    34  35  39
  mac_h[1.1]    35  36  40
  sigmoid_ifo[1] 42 45  47   mac_h[1.1] done 40, the unit is free at 42
  tanh_g[1]     45  46  48
  cell[1]       48  49  51
  tanh_c[0]     47  48  50   cell[0] done 47 (unit free at 46)
  hidden[0]     50  51  52
  tanh_c[1]     51  52  54   cell[1] done 51
  hidden[1]     54  55  56
  store h       56  58  63
step 2 = step 1 + 24 but
  mac_x[0.0]    19  21  25   x_2 done 43 = 19 + 24: it was loaded behind "store h"
  mac_x[0.1]    21  23  27
  mac_x[1.0]    23  25  29
  mac_x[1.1]    25  27  31   free 51, before hidden[1] of step 1 done 56: no harm done
step 3 = step 2 + 24 but
  load x[t+1]    -   -   -
"""

SPLIT_GATE_MAJOR_STEPS = """
step 0 from 61
  load x[t+1]    0   4   9
  mac_x[0]       0   2   6   slot 0
  mac_h[0]       2   3   7
  mac_x[1]       3   5   9   slot 1
  sigmoid_i[0]   7   9  11   mac_h[0] done 7
  mac_h[1]       5   6  10
  mac_x[2]       9  11  15   slot 0: sigmoid_i[0] free 9 (the array was free at 6)
  sigmoid_f[1]  10  12  14   mac_h[1] done 10
  mac_h[2]      11  12  16
  mac_x[3]      12  14  18   slot 1: sigmoid_f[1] free 12, and so is the array
  tanh_g[2]     16  18  20   mac_h[2] done 16
  cell[2]       20  22  24
  mac_h[3]      14  15  19
  sigmoid_o[3]  19  21  23   mac_h[3] done 19
  tanh_c[2]     24  26  28   cell[2] done 24
  hidden[3]     28  30  31
  store h       31  33  38
step 1 from 61
  load x[t+1]   33  37  42   DRAM free at 33
  mac_x[0]      18  20  24   slot 0: tanh_g[2] of step 0 free 18 (array free at 15, x_1 done 9)
  mac_h[0]      31  32  36   hidden[3] of step 0 done 31
  mac_x[1]      32  34  38   slot 1: sigmoid_o[3] of step 0 is free since 21
  sigmoid_i[0]  36  38  40   mac_h[0] done 36
  mac_h[1]      34  35  39
  mac_x[2]      38  40  44   slot 0: sigmoid_i[0] free 38
  sigmoid_f[1]  39  41  43   mac_h[1] done 39
  mac_h[2]      40  41  45
  mac_x[3]      41  43  47   slot 1: sigmoid_f[1] free 41
  tanh_g[2]     45  47  49
  cell[2]       49  51  53
  mac_h[3]      43  44  48
  sigmoid_o[3]  48  50  52
  tanh_c[2]     53  55  57   cell[2] done 53
  hidden[3]     57  59  60
  store h       60  62  67
step 2 = step 1 + 29
step 3 = step 2 + 29 but
  load x[t+1]    -   -   -
"""


class TestFusedInterleaved:
    """R = 2 < 4: a group is one hidden unit, its 4 rows i, f, o, g in 2 tiles; 2 groups, 4 accumulator slots.

    A step takes 30 cycles: 4 tiles * 3 = 12 and then, behind the last tile, the chain
    4 (MAC depth) + 3 (sigmoid i, f, o) + 1 + 2 (tanh g) + 1 + 2 (cell) + 1 + 2 (tanh c) + 1 + 1 (hidden) = 18.
    """

    def test_every_op(self) -> None:
        """The last "store h" is done 37 after the start of step 3: 77 + 90 + 37 = 204, and 9 for the epilogue."""
        table = INTERLEAVED_PROLOGUE + FUSED_INTERLEAVED_STEPS + EPILOGUE.format(204)
        check(run("fused_interleaved", "lstm:3,2,t=4"), table, total=213)

    @pytest.mark.parametrize(("steps", "body_end"), [(1, 77 + 37), (2, 77 + 30 + 37)])
    def test_short_sequences(self, steps: int, body_end: int) -> None:
        body = without_steps_from(steps, FUSED_INTERLEAVED_STEPS)
        table = INTERLEAVED_PROLOGUE + body + EPILOGUE.format(body_end)
        check(run("fused_interleaved", f"lstm:3,2,t={steps}"), table, total=body_end + 9)


class TestFusedGateMajor:
    """A group is one gate of both hidden units: 4 groups of 1 tile, 8 accumulator slots; tanh(c) one group later.

    A step takes 28 cycles: g is done at 17, then the chain cell 2 + 2, tanh c 2 + 2, hidden 2 + 1 runs to 28; that
    the fourth tile is free at 12 does not matter.
    """

    def test_every_op(self) -> None:
        """61 + 3 * 28 + 35 = 180, and 9 for the epilogue."""
        table = GATE_MAJOR_PROLOGUE + FUSED_GATE_MAJOR_STEPS + EPILOGUE.format(180)
        check(run("fused_gate_major", "lstm:3,2,t=4"), table, total=189)

    @pytest.mark.parametrize(("steps", "body_end"), [(1, 61 + 35), (2, 61 + 28 + 35)])
    def test_short_sequences(self, steps: int, body_end: int) -> None:
        body = without_steps_from(steps, FUSED_GATE_MAJOR_STEPS)
        table = GATE_MAJOR_PROLOGUE + body + EPILOGUE.format(body_end)
        check(run("fused_gate_major", f"lstm:3,2,t={steps}"), table, total=body_end + 9)


class TestSplitInterleaved:
    """4 slots, 2 groups: all x parts of step t+1 run while step t's last hidden update drains.

    A step takes 24 cycles in place of 30: 4 tiles * 1 = 4, and a tail of 20 (sigmoid of group 1 waits 2 cycles for
    the unit, which is 2 more than the tail of fused).
    """

    def test_every_op(self) -> None:
        """Step 3's origin is 77 + 2 * 24, the rows are those of step 1: done at 77 + 48 + 63 = 188."""
        table = INTERLEAVED_PROLOGUE + SPLIT_INTERLEAVED_STEPS + EPILOGUE.format(188)
        check(run("split_interleaved", "lstm:3,2,t=4"), table, total=197)

    @pytest.mark.parametrize(("steps", "body_end"), [(1, 77 + 39), (2, 77 + 63)])
    def test_short_sequences(self, steps: int, body_end: int) -> None:
        body = without_steps_from(steps, SPLIT_INTERLEAVED_STEPS)
        table = INTERLEAVED_PROLOGUE + body + EPILOGUE.format(body_end)
        check(run("split_interleaved", f"lstm:3,2,t={steps}"), table, total=body_end + 9)


class TestSplitGateMajor:
    """4 accumulator entries = 2 slots of 2 rows: the x part runs one group ahead, and waits for its slot.

    Program order of the MAC array: x0, h0, x1, h1, x2, h2, x3, h3; group g uses slot g mod 2, which the activation of
    group g - 2 must have read. From step 1 on a step takes 29 cycles.
    """

    def test_every_op(self) -> None:
        """61 + 2 * 29 + 67 = 186, and 9 for the epilogue."""
        table = GATE_MAJOR_PROLOGUE + SPLIT_GATE_MAJOR_STEPS + EPILOGUE.format(186)
        check(run("split_gate_major", "lstm:3,2,t=4", "accumulators.entries=4"), table, total=195)

    @pytest.mark.parametrize(("steps", "body_end"), [(1, 61 + 38), (2, 61 + 67)])
    def test_short_sequences(self, steps: int, body_end: int) -> None:
        body = without_steps_from(steps, SPLIT_GATE_MAJOR_STEPS)
        table = GATE_MAJOR_PROLOGUE + body + EPILOGUE.format(body_end)
        workload = f"lstm:3,2,t={steps}"
        check(run("split_gate_major", workload, "accumulators.entries=4"), table, total=body_end + 9)


class TestOtherMachines:
    def test_3x2_split_interleaved_with_one_accumulator_slot(self) -> None:
        """R = 3 < 4: the tiles of a group are i, f, o and g alone; 4 entries = 1 slot, so no x part runs ahead.

        Weight port 3 * 64 = 192 bits: mac_x[.0] 3*3*32 = 288 / 192 -> 2 = ceil(3/2); mac_h[.0] 3*2*32 = 192: 1.
        """
        table = (
            INTERLEAVED_PROLOGUE
            + """
step 0 from 77
  load x[t+1]    0   4   9
  mac_x[0.0]     0   2   6
  mac_x[0.1]     2   4   8
  mac_h[0.0]     4   5   9
  mac_h[0.1]     5   6  10
  sigmoid_ifo[0] 9  12  14   mac_h[0.0] done 9: it has all three
  tanh_g[0]     12  13  15   mac_h[0.1] is done at 10, the unit is free at 12
  cell[0]       15  16  18
  mac_x[1.0]    12  14  18   rows 0-2 of the only slot: sigmoid_ifo[0] free 12 (the array since 6)
  mac_x[1.1]    14  16  20   row 3: tanh_g[0] free 13, the array is free at 14
  mac_h[1.0]    16  17  21
  mac_h[1.1]    17  18  22
  sigmoid_ifo[1] 21 24  26   mac_h[1.0] done 21
  tanh_g[1]     24  25  27   mac_h[1.1] is done at 22
  cell[1]       27  28  30
  tanh_c[0]     25  26  28   cell[0] done 18, but behind tanh_g[1] in order
  hidden[0]     28  29  31   tanh_c[0] done 28, the unit is free at 28; cell[1] writes in cycle 29
  tanh_c[1]     30  31  33   cell[1] done 30
  hidden[1]     33  34  35
  store h       35  37  42
step 1 from 77
  load x[t+1]   37  41  46   DRAM free at 37
  mac_x[0.0]    24  26  30   sigmoid_ifo[1] of step 0 free 24
  mac_x[0.1]    26  28  32   tanh_g[1] free 25
  mac_h[0.0]    35  36  40   hidden[1] of step 0 done 35
  mac_h[0.1]    36  37  41
  sigmoid_ifo[0] 40 43  45
  tanh_g[0]     43  44  46
  cell[0]       46  47  49
  mac_x[1.0]    43  45  49   sigmoid_ifo[0] free 43
  mac_x[1.1]    45  47  51
  mac_h[1.0]    47  48  52
  mac_h[1.1]    48  49  53
  sigmoid_ifo[1] 52 55  57
  tanh_g[1]     55  56  58
  cell[1]       58  59  61
  tanh_c[0]     56  57  59
  hidden[0]     59  60  62   cell[1] writes in cycle 60
  tanh_c[1]     61  62  64
  hidden[1]     64  65  66
  store h       66  68  73
step 2 = step 1 + 31 but
  load x[t+1]    -   -   -
"""
            + EPILOGUE.format(77 + 31 + 73)
        )
        overrides = ("mac_array.rows=3", "weight_sram.banks=3", "accumulators.entries=4")
        check(run("split_interleaved", "lstm:3,2,t=3", *overrides), table, total=190)

    def test_4x2_fused_interleaved_with_issue_1_and_queues_of_1(self) -> None:
        """One op a cycle is issued, and one can wait in front of each unit.

        Op k is issued at t(k) = max(t(k-1), start of the op before it on its unit) + 1. A group is one tile of 4 rows;
        weight port 4 * 64 = 256 bits: 4*5*32 = 640 / 256 -> 3 = ceil(5/2). DRAM's first op is issued at 1, the
        others stand in its queue when it is free.
        """
        table = """
prologue from 1
  load W_ih[0]   0  16  21   issued at 1
  load W_hh[0]  16  24  29
  load bias[0]  24  32  37
  load W_ih[1]  32  48  53
  load W_hh[1]  48  56  61
  load bias[1]  56  64  69
  load h_0      64  66  71
  load c_0      66  68  73
  load x_0      68  72  77
step 0 from 78
  load x[t+1]    1   5  10   issued at  1
  mac[0]         2   5   9              2
  sigmoid_ifo[0] 9  12  14              3; mac[0] done 9
  tanh_g[0]     12  13  15             10: sigmoid_ifo[0] left the queue at 9
  cell[0]       15  16  18             11; tanh_g[0] done 15
  mac[1]        12  15  19             12: behind the ops above; the array has been free since 5
  sigmoid_ifo[1] 19 22  24             13: tanh_g[0] left at 12; mac[1] done 19
  tanh_g[1]     22  23  25             20: sigmoid_ifo[1] left at 19
  cell[1]       25  26  28             21; tanh_g[1] done 25
  tanh_c[0]     23  24  26             23: tanh_g[1] left at 22
  hidden[0]     26  27  29             26: cell[1] left at 25; tanh_c[0] done 26; cell[1] writes in cycle 27
  tanh_c[1]     28  29  31             27; cell[1] done 28
  hidden[1]     31  32  33             28; tanh_c[1] done 31
  store h       33  35  40             29; hidden[1] done 33
step 1 from 78
  load x[t+1]   35  39  44             34: "store h" left at 33; DRAM is free at 35
  mac[0]        35  38  42             35: behind the load; hidden[1] was done at 33
  sigmoid_ifo[0] 42 45  47             36
  tanh_g[0]     45  46  48             43
  cell[0]       48  49  51             44
  mac[1]        45  48  52             45
  sigmoid_ifo[1] 52 55  57             46
  tanh_g[1]     55  56  58             53
  cell[1]       58  59  61             54
  tanh_c[0]     56  57  59             56
  hidden[0]     59  60  62             59; cell[1] writes in cycle 60
  tanh_c[1]     61  62  64             60
  hidden[1]     64  65  66             61
  store h       66  68  73             62
step 2 from 78
  mac[0]        66  69  73             64: at 63 the sequencer passed over the load; hidden[1] done 66
  sigmoid_ifo[0] 73 76  78             65
  tanh_g[0]     76  77  79             74
  cell[0]       79  80  82             75
  mac[1]        76  79  83             76
  sigmoid_ifo[1] 83 86  88             77
  tanh_g[1]     86  87  89             84
  cell[1]       89  90  92             85
  tanh_c[0]     87  88  90             87
  hidden[0]     90  91  93             90; cell[1] writes in cycle 91
  tanh_c[1]     92  93  95             91
  hidden[1]     95  96  97             92
  store h       97  99 104             93
epilogue from 183
  store h_n      0   2   7   body ends at 78 + 104 = 182, issued at 183
  store c_n      2   4   9
"""
        overrides = (
            "mac_array.rows=4",
            "weight_sram.banks=4",
            "sequencer.issue_cycles=1",
            "sequencer.queue_depth=1",
        )
        check(run("fused_interleaved", "lstm:3,2,t=3", *overrides), table, total=192)

    def test_2x2_fused_gate_major_with_ragged_groups_and_a_narrow_weight_port(self) -> None:
        """H = 3: each gate is a group of 2 rows and one of 1 row; tanh(c) is deferred by 2 groups.

        K = 6, so 3 chunks; a tile of 2 rows reads 2*6*32 = 384 bits through 2 * 48 = 96: exactly 4 cycles, one more
        than the datapath needs; a tile of 1 row reads 192 bits: 2, so 3. The biases would be 64 and 32 bits more and
        make it 5 cycles and 3. x, h and c are 12 bytes, 4 cycles of DRAM, and pass the weight SRAM's write port within
        that (24 bytes are 192 bits / 96 = 2 cycles).
        """
        table = """
prologue from 0
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
step 0 from 113
  load x[t+1]    0   4   9
  mac[0]         0   4   8   i, 2 rows
  mac[1]         4   7  11   i, 1 row
  mac[2]         7  11  15   f
  mac[3]        11  14  18
  mac[4]        14  18  22   g
  mac[5]        18  21  25
  mac[6]        21  25  29   o
  mac[7]        25  28  32
  sigmoid_i[0]   8  10  12   mac[0] done 8
  sigmoid_i[1]  11  12  14   mac[1] done 11
  sigmoid_f[2]  15  17  19
  sigmoid_f[3]  18  19  21
  tanh_g[4]     22  24  26
  cell[4]       26  28  30   tanh_g[4] done 26; 2 hidden units
  tanh_g[5]     25  26  28
  cell[5]       28  29  31   tanh_g[5] done 28, the unit is free at 28
  sigmoid_o[6]  29  31  33   mac[6] done 29
  tanh_c[4]     31  33  35   cell[4] was done at 30, the unit is free at 31
  hidden[6]     35  37  38   tanh_c[4] done 35
  sigmoid_o[7]  33  34  36   mac[7] was done at 32, the unit is free at 33
  tanh_c[5]     34  35  37
  hidden[7]     37  38  39   tanh_c[5] done 37, the unit is free at 37
  store h       39  43  48   hidden[7] done 39
step 1 = step 0 + 39 but
  load x[t+1]    -   -   -
epilogue from 200
  store h_n      0   4   9   113 + 39 + 48 = 200
  store c_n      4   8  13
"""
        check(run("fused_gate_major", "lstm:3,3,t=2", "weight_sram.port_bits=48"), table, total=213)

    def test_2x2_fused_interleaved_with_a_batch_of_2(self) -> None:
        """Every op works on 2 vectors: tiles take ceil(5/2) * 2 = 6 cycles while the weights are read once (3).

        A group needs 4 rows * 2 = 8 of the 16 accumulators: 2 slots. x is 24 B = 6 cycles, h and c are 16 B = 4.
        """
        table = """
prologue from 0
  load W_ih[0]   0  16  21   the weights as ever
  load W_hh[0]  16  24  29
  load bias[0]  24  32  37
  load W_ih[1]  32  48  53
  load W_hh[1]  48  56  61
  load bias[1]  56  64  69
  load h_0      64  68  73
  load c_0      68  72  77
  load x_0      72  78  83
step 0 from 83
  mac[0.0]       0   6  10
  mac[0.1]       6  12  16
  sigmoid_ifo[0] 16 22  24   6 values
  tanh_g[0]     22  24  26
  cell[0]       26  28  30   2 hidden units; reads 4 * 2 * 32 = 256 bits / 128 = 2
  mac[1.0]      12  18  22
  mac[1.1]      18  24  28
  sigmoid_ifo[1] 28 34  36   mac[1.1] done 28
  tanh_g[1]     34  36  38
  cell[1]       38  40  42
  tanh_c[0]     36  38  40
  hidden[0]     40  42  43   tanh_c[0] done 40, the unit is free at 40
  tanh_c[1]     42  44  46   cell[1] done 42
  hidden[1]     46  48  49
  store h       49  53  58
epilogue from 141
  store h_n      0   4   9
  store c_n      4   8  13
"""
        check(run("fused_interleaved", "lstm:3,2,t=1,b=2"), table, total=154)

    def test_2x2_fused_interleaved_behind_a_slow_dram(self) -> None:
        """0.5 bytes a cycle: x takes 32 cycles, h 16; DRAM is busy nearly always and the array waits for x.

        From the start of a step's first tile the units do what FUSED_INTERLEAVED_STEPS says: hidden[1] is done 30
        later. With S(t) the start of step t's first tile and DRAM in order:

            t   load x[t+1]       store h           S(t+1) = x[t+1] done, later than S(t) + 30
            0     0  32  37        32  48  53        37   hidden[1] done 30, DRAM free 32
            1    48  80  85        80  96 101        85   the slot of x_0 is free since 12
            2    96 128 133       128 144 149       133
            3     -   -   -       163 179 184             hidden[1] done 133 + 30
        """
        simulation = run("fused_interleaved", "lstm:3,2,t=4", "dram.bandwidth_bytes_per_cycle=0.5")
        start = 8 * 72 + 5
        dram = parse_table(f"""
step 0 from {start}
  load x[t+1]    0  32  37
  mac[0.0]       0   3   7
  hidden[1]     28  29  30
  store h       32  48  53
step 1 from {start}
  load x[t+1]   48  80  85
  mac[0.0]      37  40  44
  hidden[1]     65  66  67
  store h       80  96 101
step 2 from {start}
  load x[t+1]   96 128 133
  mac[0.0]      85  88  92
  hidden[1]    113 114 115
  store h      128 144 149
step 3 from {start}
  mac[0.0]     133 136 140
  hidden[1]    161 162 163
  store h      163 179 184
epilogue from {start + 184}
  store h_n      0  16  21
  store c_n     16  32  37
""")
        times = recorded(simulation)
        assert {key: times[key] for key in dram} == dram
        assert simulation.stats.latency_cycles == start + 184 + 37
        # The array waits from the end of a step's tiles, S(t) + 12, until S(t + 1).
        assert simulation.stats.cycle_stack["wait_input"] == (37 - 12) + (85 - 49) + (133 - 97)


class TestWorkedExample:
    """The table in docs/microarchitecture/cycles.md, which was derived by hand like those above."""

    def test_the_document_is_right(self) -> None:
        page = Path(__file__).resolve().parents[3] / "docs/microarchitecture/cycles.md"
        document = page.read_text(encoding="utf-8")
        (table,) = re.findall(r"^```text\n(.*?)^```", document, flags=re.MULTILINE | re.DOTALL)
        workload = load_workload("lstm_3_2_t4")
        simulation = simulate(load_arch("tiny_2x2"), workload, timing_only=True, window=Window(0, 4))
        check(simulation, table, total=179)
        assert simulation.stats.cycle_stack["wait_recurrence"] == 3 * 19
        assert simulation.stats.bounds["recurrence"] == simulation.stats.cycles_per_step == 31


Stacks = dict[str, dict[str, int]]
"""Cycles of each unit by bucket."""


class TestCycleStacks:
    """Where each unit's cycles went, added up by hand from the tables; every stack sums to the run."""

    @pytest.fixture
    def stacks(self) -> Stacks:
        stacks = run("fused_interleaved", "lstm:3,2,t=4").stats.unit_cycle_stacks
        return {unit: {bucket: n for bucket, n in stack.items() if n} for unit, stack in stacks.items()}

    def test_mac_array(self, stacks: Stacks) -> None:
        """16 tiles * 3 = 48 cycles do 160 MACs, 40 cycles' worth at 4 a cycle. Steps 1-3 wait for h from 12 to 30."""
        expected = {"useful": 40, "padding": 8, "wait_recurrence": 3 * 18}
        # body: 127 cycles, the last tile is free at 90 + 12
        assert stacks["mac_array"] == expected | {"prologue": 77, "idle": 127 - 102, "epilogue": 9}

    def test_activation(self, stacks: Stacks) -> None:
        """Step 0 waits 10 (sigmoid 0), 2 (sigmoid 1: 14 to 16) and 4 (tanh_c[1]: 21 to 25); later ones 14 + 2 + 4."""
        expected = {"useful": 4 * 10, "wait_operand": 16 + 3 * 20}
        assert stacks["activation"] == expected | {"prologue": 77, "idle": 127 - 116, "epilogue": 9}

    def test_elementwise(self, stacks: Stacks) -> None:
        """cell[0] 16, cell[1] 17 to 22, hidden[1] 24 to 28 in step 0; later the first is 29 to 46."""
        expected = {"useful": 4 * 4, "wait_operand": 16 + 5 + 4 + 3 * (17 + 5 + 4)}
        assert stacks["elementwise"] == expected | {"prologue": 77, "idle": 127 - 119, "epilogue": 9}

    def test_dram(self, stacks: Stacks) -> None:
        """72 + 3 loads * 4 + 4 stores * 2 + 4 = 96 cycles of bursts for 304 bytes.

        Bytes: weights 96 + 64, bias 32, h_0 and c_0 16, x 4 * 12, h 4 * 8, h_n and c_n 16. "store h" waits for h from
        4 to 30, then twice from the end of a load (36) to the next h (60), and last from 92 to 120.
        """
        expected = {"useful": 304 // 4, "padding": 96 - 76, "wait_operand": 26 + 24 + 24 + 28}
        assert stacks["dram"] == expected | {"prologue": 77 - 72, "idle": 127 - 122, "epilogue": 9 - 4}

    def test_port_cycles_of_the_narrow_weight_port(self) -> None:
        """The ragged gate-major run above: 4 tiles a step hold the array one cycle longer for the port.

        48 cycles of the datapath for 144 MACs = 36 cycles' worth; step 1 waits for h from 28 to 39.
        """
        stack = run("fused_gate_major", "lstm:3,3,t=2", "weight_sram.port_bits=48").stats.cycle_stack
        expected = {"useful": 36, "padding": 12, "wait_port": 8, "wait_recurrence": 11}
        expected |= {"prologue": 113, "idle": 87 - 67, "epilogue": 13}
        assert {bucket: n for bucket, n in stack.items() if n} == expected

    def test_waits_for_accumulators(self) -> None:
        """The 3x2 split run: mac_x[1.0] waits 6 to 12 in step 0 and 37 to 43 after; mac_x[0.0] 18 to 24, 49 to 55.

        mac_h[0.0] waits for h from 28 to 35 in step 1, 59 to 66 in step 2.
        """
        overrides = ("mac_array.rows=3", "weight_sram.banks=3", "accumulators.entries=4")
        stack = run("split_interleaved", "lstm:3,2,t=3", *overrides).stats.cycle_stack
        assert stack["wait_accumulator"] == 6 + (6 + 6) + (6 + 6)
        assert stack["wait_recurrence"] == 7 + 7

    def test_waits_for_issue(self) -> None:
        """The 4x2 run with queues of 1: mac[0] waits for its issue from 0 to 2, mac[1] from 5 to 12 (step 0).

        In step 1 mac[0] starts at 35, after h (33): the wait from 15 is booked on the sequencer, which came last;
        mac[1] waits 38 to 45. In step 2 mac[0] waits 48 to 66 for h, and mac[1] 69 to 76.
        """
        overrides = ("mac_array.rows=4", "weight_sram.banks=4")
        queues = ("sequencer.issue_cycles=1", "sequencer.queue_depth=1")
        stack = run("fused_interleaved", "lstm:3,2,t=3", *overrides, *queues).stats.cycle_stack
        assert stack["wait_issue"] == (2 + 7) + (20 + 7) + 7
        assert stack["wait_recurrence"] == 18
