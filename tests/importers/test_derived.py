"""Weights that are computed from others, by hand, and how tensors are seen under other names."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from archsim.importers.found import Refused, Shape
from archsim.importers.tensors.derived import Derived, derived_weights
from archsim.importers.tensors.view import MAX_DERIVED_BYTES, TensorView

DERIVED: list[tuple[dict[str, Shape], str | None]] = [
    ({"a.weight_hh_l0_v": (4, 2), "a.weight_hh_l0_g": (4, 1)}, "a.weight_hh_l0"),
    ({"weight_hh_l0_v": (4, 2), "weight_hh_l0_g": (1, 2)}, "weight_hh_l0"),
    ({"weight_hh_l0_v": (4, 2), "weight_hh_l0_g": ()}, "weight_hh_l0"),
    ({"weight_hh_l0_v": (4, 2), "weight_hh_l0_g": (2, 1)}, None),
    ({"weight_hh_l0_v": (4, 2), "weight_hh_l0_g": (1, 1, 1)}, None),
    ({"weight_hh_l0_v": (4, 2)}, None),
    ({"weight_hh_orig": (4, 2), "weight_hh_u": (4,), "weight_hh_v": (2,)}, "weight_hh"),
    ({"weight_hh_orig": (4, 2), "weight_hh_u": (2,), "weight_hh_v": (4,)}, "weight_hh"),
    ({"weight_hh_orig": (4, 2), "weight_hh_u": (4,), "weight_hh_v": (4,)}, None),
    ({"weight_hh_orig": (4, 2), "weight_hh_u": (4, 2), "weight_hh_v": ()}, None),
    ({"weight_hh_orig": (4, 2, 1), "weight_hh_u": (4,), "weight_hh_v": (2, 1)}, None),
    ({"bias_ih_l0_reverse_orig": (4,), "bias_ih_l0_reverse_mask": (4,)}, "bias_ih_l0_reverse"),
    ({"bias_ih_l0_orig": (4,), "bias_ih_l0_mask": (3,)}, None),
    ({"a.parametrizations.weight_ih_l0.original0": (4, 1), "a.parametrizations.weight_ih_l0.original1": (4, 2)},
     "a.weight_ih_l0"),
    ({"weight_hh_l0_raw": (4, 2)}, "weight_hh_l0"),
    ({"a.weight_hh_l0_raw": (4, 2), "a.module.weight_ih_l0": (4, 2)}, "a.module.weight_hh_l0"),
    ({"a.weight_hh_l0_raw": (4, 2), "module.weight_ih_l0": (4, 2)}, "a.weight_hh_l0"),
]  # fmt: skip


@pytest.mark.parametrize(("shapes", "name"), DERIVED)
def test_which_parts_make_a_weight(shapes: dict[str, Shape], name: str | None) -> None:
    assert list(derived_weights(shapes)) == ([] if name is None else [name])


def test_computed_weights_by_hand() -> None:
    """v rows (3, 4) and (0, 2) are 5 and 2 long; g is 10 and 1. Of columns: 3 and sqrt(20) long."""
    v = np.array([[3.0, 4.0], [0.0, 2.0]])

    def made(given: dict[str, np.ndarray]) -> list[list[float]]:
        (one,) = derived_weights({name: array.shape for name, array in given.items()}).values()
        computed = one.compute(tuple(given[source] for source in one.sources))
        assert one.shape == computed.shape
        rounded: list[list[float]] = np.round(computed, 12).tolist()
        return rounded

    assert made({"weight_hh_v": v, "weight_hh_g": np.array([[10.0], [1.0]])}) == [[6, 8], [0, 1]]
    columns = made({"weight_hh_v": v, "weight_hh_g": np.array([[6.0, 20**0.5]])})
    assert columns == [[6, 4], [0, 2]]
    assert made({"weight_hh_v": v, "weight_hh_g": np.array(29**0.5 * 2)}) == [[6, 8], [0, 4]]
    u, w = np.array([1.0, 2.0]), np.array([0.5, 1.0])
    assert made({"weight_hh_orig": v, "weight_hh_u": u, "weight_hh_v": w}) == np.round(v / 9.5, 12).tolist()
    wide = np.array([[1.0, 2.0, 3.0]])
    turned = {"weight_hh_orig": wide, "weight_hh_u": np.array([1.0, 0.0, 1.0]), "weight_hh_v": np.array([0.5])}
    assert made(turned) == [[0.5, 1, 1.5]], "u . W^T v = 0.5 (1 + 3) = 2"
    assert made({"weight_hh_orig": v, "weight_hh_mask": np.eye(2)}) == [[3, 0], [0, 2]]


class Large:
    """Stands for an array of so many numbers."""

    def __init__(self, size: int) -> None:
        self.size = size


def test_computed_weights_take_2_gib_of_float64_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    def view(size: int) -> TensorView:
        return TensorView({"weight_hh_raw": (size,)}, lambda wanted: dict.fromkeys(wanted, Large(size)), {})  # type: ignore[arg-type]

    most = MAX_DERIVED_BYTES // 8
    assert most == 2**28
    assert view(most).with_derived().read({"weight_hh": (most,)})["weight_hh"].size == most
    with pytest.raises(Refused, match="too large to be computed"):
        view(most + 1).with_derived().read({"weight_hh": (most + 1,)})


def test_a_view_reads_under_its_names_and_leaves_out_what_makes_others() -> None:
    arrays = {"a": np.ones(2), "b": np.zeros(3), "weight_hh_orig": np.array([2.0]), "weight_hh_mask": np.array([1.0])}
    asked: list[list[str]] = []

    def read(wanted: Mapping[str, Shape]) -> Mapping[str, np.ndarray]:
        asked.append(sorted(wanted))
        return {name: arrays[name] for name in wanted}

    view = TensorView({name: array.shape for name, array in arrays.items()}, read, {})
    renamed = view.renamed({"a": "c", "b": "weight_hh_orig"})
    assert list(renamed.shapes) == ["c", "b", "weight_hh_orig", "weight_hh_mask"], "a name that is taken is not given"
    assert renamed.read({"c": (2,)})["c"].tolist() == [1, 1]
    whole = renamed.with_derived()
    assert list(whole.shapes) == ["c", "b", "weight_hh"]
    assert list(whole.notes) == ["weight_hh"]
    assert whole.read({"weight_hh": (1,)})["weight_hh"].tolist() == [2]
    assert asked == [["a"], ["weight_hh_mask", "weight_hh_orig"]]
    assert whole.read({"b": (3,), "weight_hh": (1,)})["b"].tolist() == [0, 0, 0]
    assert list(whole.without(frozenset({"b"})).shapes) == ["c", "weight_hh"]
    assert isinstance(derived_weights(view.shapes)["weight_hh"], Derived)
