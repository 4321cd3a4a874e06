"""Bodies of ops that compute nothing: any units, windows and dependencies, with or without a conflict behind them."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

from archsim.program.ir import After, Dep, Op, Phase, PhaseKind, Region, Wait


@dataclass(frozen=True, kw_only=True)
class Nothing(Op):
    """An op without operands."""

    @property
    def reads(self) -> tuple[Region, ...]:
        return ()

    @property
    def writes(self) -> tuple[Region, ...]:
        return ()


AFTER = (After.DONE, After.FREE)


@st.composite
def generic_bodies(draw: st.DrawFn, max_repeat: int, max_ops: int = 6, max_lag: int = 4) -> Phase:
    """Ops on up to three units; each waits for up to three others, up to max_lag repetitions before."""
    count = draw(st.integers(1, max_ops))
    ops, deps = [], []
    for index in range(count):
        windows = st.tuples(st.integers(0, 3), st.integers(0, 3))
        skip_first, skip_last = draw(st.one_of(st.just((0, 0)), st.just((0, 0)), windows))
        unit = draw(st.sampled_from(["u0", "u1", "u2"]))
        joined = index > 0 and draw(st.integers(0, 4)) == 0
        op = Nothing(unit=unit, label=f"op{index}", skip_first=skip_first, skip_last=skip_last, joined=joined)
        ops.append(op)
        found = []
        for _ in range(draw(st.integers(0, 3))):
            lag, other = draw(st.integers(0, max_lag)), draw(st.integers(0, count - 1))
            if lag or other < index:
                follows = lag == 0 and ops[other].window == ops[index].window  # a FIFO's two ends
                after = draw(st.sampled_from((*AFTER, After.FIRST) if follows else AFTER))
                found.append(Dep(other, lag, after, Wait.OPERAND))
        deps.append(tuple(found))
    kind = draw(st.sampled_from([PhaseKind.BODY, PhaseKind.BODY, PhaseKind.PROLOGUE]))
    repeat = draw(st.one_of(st.integers(1, 9), st.integers(min(10, max_repeat), max_repeat)))
    return Phase("generic", kind, repeat, tuple(ops), tuple(deps))


def phase_of(ops: str, deps: dict[str, list[Dep]], repeat: int) -> Phase:
    """A body of ops "name:unit", one after the other."""
    made = [Nothing(unit=text.split(":")[1], label=text.split(":")[0]) for text in ops.split()]
    return Phase("by hand", PhaseKind.BODY, repeat, tuple(made), tuple(tuple(deps.get(op.label, ())) for op in made))
