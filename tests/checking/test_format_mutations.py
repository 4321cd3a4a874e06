"""Every mistake of format_mutations is noticed when the machine's numbers are compared with the reference, bit by bit.

Not all can be: the reference takes scales, and the lines of the method piecewise_linear, from the simulator, so that
scales which are chosen badly, or lines fitted badly, are no difference between the two. How far the numbers are from
the golden model's says that (archsim.checking.format_error).
"""

from __future__ import annotations

import pytest

from tests.checking.exact_runs import differing, drawn_tensors, run_reference, run_untimed
from tests.checking.format_mutations import CASES, MUTATIONS, Mutation, case_of
from tests.rings import few
from tests.strategies import Case

SEED = 1


def compared(case: Case) -> list[str]:
    """What differs, everything from the tensors on done anew."""
    numbers = case.numbers(drawn_tensors(case, SEED))
    return differing(run_untimed(case, numbers).results(), run_reference(case, numbers))


@pytest.mark.parametrize("name", CASES)
def test_without_a_mistake_nothing_is_noticed(name: str) -> None:
    assert compared(case_of(name)) == []


@pytest.mark.parametrize("mutation", few(MUTATIONS.values(), 12), ids=MUTATIONS)
def test_noticed(mutation: Mutation, monkeypatch: pytest.MonkeyPatch) -> None:
    case = case_of(mutation.case)
    mutation.plant(monkeypatch)
    assert compared(case) != []


def test_every_case_serves() -> None:
    assert {mutation.case for mutation in MUTATIONS.values()} == CASES.keys()
