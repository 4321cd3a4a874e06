"""Cycle counts of whole runs, derived by hand from docs/microarchitecture.md before the simulator was asked.

Every table lists each op's start, free (it has read its operands and its unit takes the next op) and done (its results
are visible), with the reason for its start. The machine is by_hand.HAND_2X2 unless a test says otherwise; its services
for LSTM(3, 2), float32 (32 bits = 4 bytes), batch 1:

    MAC array   2 x 2; depth = SRAM read 1 + multiplier 1 + ceil(log2 2) = 1 level * 1 + accumulator 1 = 4
                mac    K = 5: ceil(5/2) = 3;  weights and bias of 2 rows: 2*5*32 + 2*32 = 384 bits / 128 = 3   -> 3
                mac_x  K = 3: ceil(3/2) = 2;  2*3*32 + 2*32 = 256 bits / 128 = 2                               -> 2
                mac_h  K = 2: ceil(2/2) = 1;  2*2*32 = 128 bits / 128 = 1                                      -> 1
    activation  1 value a cycle, depth 2: 3 for i, f, o of one hidden unit, 1 for its g or tanh(c)
    elementwise 1 hidden unit a cycle, depth 2 (cell) or 1 (hidden); cell reads i, f, g, c: 4*32 = 128 bits / 128 = 1
    DRAM        4 bytes a cycle, depth 5, bursts of 8 bytes: x is 12 bytes = 2 bursts = 16 -> 4;  h or c is 8 -> 2

Issue takes no time and the queues hold 64 ops, so that an op starts when its unit is free and its tokens are there.
x has 2 slots (prefetch_steps = 1), h has 2, the accumulators 16 entries.
"""

from __future__ import annotations

import pytest
from by_hand import check, run

STEPS = {1: "t=1", 2: "t=2", 4: "t=4"}

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
  hidden[0]     23  24  25   tanh_c[0] done 23; the element-wise unit is free at 23
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


def shortened(steps: str, count: int) -> str:
    """The first `count` of 4 steps. The last one has no x to load, and nothing else notices."""
    parts = steps.split("step ")
    text = "step ".join(parts[: parts.index(next(p for p in parts if p.startswith(f"{count} "))) if count < 4 else 5])
    return text


class TestFusedInterleaved:
    """R = 2 < 4: a group is one hidden unit, its 4 rows i, f, o, g in 2 tiles; 2 groups, 4 slots.

    A step takes 30 cycles, 4 tiles * 3 = 12 and then, behind the last tile, the chain
    4 (MAC depth) + 3 (sigmoid i, f, o) + 1 + 2 (tanh g) + 1 + 2 (cell) + 1 + 2 (tanh c) + 1 + 1 (hidden) = 18.
    """

    def test_every_op(self):
        """The last "store h" is done 37 after the start of step 3: 77 + 90 + 37 = 204, and 9 for the epilogue."""
        table = INTERLEAVED_PROLOGUE + FUSED_INTERLEAVED_STEPS + EPILOGUE.format(204)
        check(run("fused_interleaved", "lstm:3,2,t=4"), table, total=213)
