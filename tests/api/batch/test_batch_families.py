"""Batches of machines of all families, in every number that their files have: as by themselves, to the last bit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from archsim.api.batch import BatchEvaluator, Designs
from archsim.api.evaluate import Evaluator
from archsim.config import parse_override
from archsim.errors import ArchsimError
from archsim.families.load import load_arch
from archsim.families.machine_config import MachineConfig
from archsim.families.registry import FAMILIES
from archsim.workload import Workload, load_workload
from tests.api.batch.agreement import check

MACHINES = (
    "npu_s10nx",
    "tpu_v1",
    "brainwave_s10",
    "ethos_u55_128",
    "elasticai_lstm",
    "koios_lstm",
    "edge_16x16",
)
KINDS = {"elasticai_lstm": ("lstm",), "ethos_u55_128": ("lstm",)}
"""Cells that a machine has, where it does not have all of them."""


def whole_numbers(model: BaseModel, before: str = "") -> Iterator[tuple[str, int]]:
    """The paths of all whole numbers in a machine, with their values."""
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, BaseModel):
            yield from whole_numbers(value, f"{before}{name}.")
        elif isinstance(value, int) and not isinstance(value, bool):
            yield f"{before}{name}", value


@st.composite
def batches(draw: st.DrawFn, machine: str) -> tuple[list[MachineConfig], Workload]:
    """A machine and others that differ from it in one to four numbers, and a network."""
    kind = draw(st.sampled_from(KINDS.get(machine, ("lstm", "gru", "rnn"))))
    inputs = 1 if machine == "elasticai_lstm" else draw(st.integers(1, 40))
    network = f"{kind}:{inputs},{draw(st.integers(1, 48))},t={draw(st.integers(1, 12))}"
    numbers = list(whole_numbers(load_arch(machine).config))
    paths = draw(st.lists(st.sampled_from(numbers), min_size=1, max_size=4, unique=True))
    found = [load_arch(machine).config]
    for _ in range(draw(st.integers(1, 8))):
        texts = [
            f"{path}={draw(st.sampled_from((0, 1, value // 2, value + 1, 2 * value, value + 5)))}"
            for path, value in paths
        ]
        try:
            found.append(load_arch(machine, [parse_override(text) for text in texts]).config)
        except ArchsimError:
            continue
    return found, load_workload(network)


@pytest.mark.parametrize("machine", MACHINES)
def test_a_batch_of_any_family_is_what_its_designs_are(machine: str) -> None:
    """Queues and FIFOs of any depth, latencies of 0, buffers that are too small: figures, or the same refusal."""
    seen: Counter[str] = Counter()

    @given(batches(machine))
    def compare(drawn: tuple[list[MachineConfig], Workload]) -> None:
        check(*drawn, None, seen)

    compare()
    assert seen["evaluated"]


def test_delta_machines_go_one_by_one() -> None:
    """Their times depend on data, and a batch has no data; all other families are above."""
    config = load_arch("edgedrnn").config
    designs = Designs.from_configs([config], [None])
    found = BatchEvaluator(Evaluator().programs).evaluate(designs, load_workload("gru:8,16,t=4").spec)
    assert not found.figures
    [(rows, why)] = found.left
    assert rows.tolist() == [0]
    assert why == "service times of delta_encoder, pe_array depend on what was before"
    assert {load_arch(machine).config.family for machine in MACHINES} == set(FAMILIES) - {config.family}
