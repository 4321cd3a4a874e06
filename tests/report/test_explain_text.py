"""Latencies by cause and chains of ops in words, of stacks and links that are written by hand."""

from __future__ import annotations

import pytest

from archsim.critical import Cause, Link
from archsim.report.text.explain_text import _chain, _no_steps, _step, composition, latency_by_cause, stack_rows
from tests.report.parts import flat, lines, thing

STACK = {"dram": {"useful": 30, "drain": 2}, "mac_array": {"useful": 1400, "padding": 8}}


def test_a_stack_is_written_largest_part_first() -> None:
    assert stack_rows(STACK) == [
        ("dram", "useful", 30), ("dram", "drain", 2), ("mac_array", "useful", 1400), ("mac_array", "padding", 8),
    ]  # fmt: skip
    assert composition(STACK, 1440.0) == (
        "of 1,440 cycles: 1,400 mac_array useful, 30 dram useful, 8 mac_array padding, 2 dram drain"
    )


def test_the_latency_has_a_row_a_unit_and_cause_with_its_share_and_their_sum() -> None:
    """2,000 cycles: of the last part 2 are 0.1 %."""
    found = lines(*latency_by_cause(STACK, 2000))
    assert found[1:7] == [
        "unit cause cycles share",
        "mac_array useful 1,400 70.0 %",
        "dram useful 30 1.5 %",
        "mac_array padding 8 0.4 %",
        "dram drain 2 0.1 %",
        "sum 2,000 100.0 %",
    ]
    assert [line.split()[0] for line in found[8:]] == ["useful", "padding", "drain"], "only what is in the stack"


OPS = [thing(unit="mac_array", label=f"mac[{place}]") for place in range(3)] + [thing(unit="activation", label="tanh")]


def test_ops_of_one_unit_and_cause_that_follow_each_other_are_one_line() -> None:
    """Issuing is the sequencer's, whichever op is issued."""
    links = [
        Link(0, Cause.COMPUTE, 5), Link(1, Cause.COMPUTE, 6), Link(2, Cause.COMPUTE, 7), Link(2, Cause.DRAIN, 4),
        Link(3, Cause.COMPUTE, 3), Link(0, Cause.ISSUE, 1), Link(3, Cause.ISSUE, 2), Link(0, Cause.COMPUTE, 9),
    ]  # fmt: skip
    compute, drain, issue = Cause.COMPUTE.value, Cause.DRAIN.value, Cause.ISSUE.value
    assert list(_chain(links, OPS)) == [
        ("mac[0] to mac[2] (3 ops)", "mac_array", compute, 18),
        ("mac[2]", "mac_array", drain, 4),
        ("tanh", "activation", compute, 3),
        ("mac[0] to tanh (2 ops)", "sequencer", issue, 3),
        ("mac[0]", "mac_array", compute, 9),
    ]


def test_a_step_has_its_cycles_and_its_chain_from_cycle_to_cycle() -> None:
    """Three steps take 1,050 cycles: 350 a step."""
    links = (Link(0, Cause.COMPUTE, 1000), Link(3, Cause.COMPUTE, 20), Link(3, Cause.DRAIN, 30))
    step = thing(
        phase=1, steps=3, cycles_per_step=350, stack=STACK, cycle=thing(cycles=1050), recurrence=12.5, links=links
    )
    phases = [thing(name="prologue", ops=[]), thing(name="body of layer 1", ops=OPS)]
    found = thing(program=thing(phases=phases), steps=[step])
    text = lines(*_step(found, step))
    assert text[0].startswith("One time step: 350 cycles (in the long run; the chain spans 3 steps: the cycle of")
    assert text[1].startswith("of 1,050 cycles: 1,400 mac_array useful, ")
    assert text[2] == "Dependencies alone, with units and a sequencer for each step: 12.5 cycles."
    compute, drain = Cause.COMPUTE.value, Cause.DRAIN.value
    assert text[3:] == [
        "from to cycles unit cause ops",
        f"0 1,000 1,000 mac_array {compute} mac[0]",
        f"1,000 1,020 20 activation {compute} tanh",
        f"1,020 1,050 30 activation {drain} tanh",
    ]
    one = thing(**{**vars(step), "steps": 1, "recurrence": None})
    several = thing(program=found.program, steps=[one, step])
    alone = flat(*_step(several, one))
    assert alone.startswith("One time step of body of layer 1: 350 cycles (in the long run: the cycle of")
    assert "Dependencies alone" not in alone


def unit(name: str, static: bool, recorded: bool) -> object:
    return thing(name=name, static=static, recorded=recorded)


@pytest.mark.parametrize(
    ("repeat", "used", "single", "words"),
    [
        (1, (), (), "There is one time step: nothing is passed on to another."),
        (2, (), (), "What a step waits for in the long run is not said: no step waits for the one before."),
        (
            2,
            ("mac", "dram", "encoder", "zip"),
            ("state_buffer",),
            "What a step waits for in the long run is not said: here a step's times follow from its own data (encoder, "
            "zip: columns that have changed); here times depend on when ops start (dram, the one port of "
            "state_buffer).",
        ),
    ],
)
def test_why_nothing_is_said_of_a_step(repeat: int, used: tuple[str, ...], single: tuple[str, ...], words: str) -> None:
    """A unit that no op is on does not count, and no more does one whose times are always the same."""
    units = {
        "mac": unit("mac", True, False), "dram": unit("dram", False, False), "zip": unit("zip", False, True),
        "encoder": unit("encoder", False, True), "idle": unit("idle", False, False),
    }  # fmt: skip
    phases = [thing(repeat=1, ops=[]), thing(repeat=repeat, ops=[thing(unit=name) for name in used])]
    found = thing(program=thing(phases=phases), units=units, arch=thing(config=thing(single_ported=single)))
    assert _no_steps(found) == words
