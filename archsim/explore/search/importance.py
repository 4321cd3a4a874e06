"""Estimates how much each parameter matters: shares of the variance of an objective.

The main effect of a parameter is the variance between the means of its values, as a share of the whole variance of the
objective (eta squared; the first-order Sobol index on a full grid). Few points a value inflate it, so what chance alone
would give is taken off: epsilon squared = (SS_between - (k - 1) MS_within) / SS_total, at least 0 (Kelley, "An unbiased
correlation ratio measure", PNAS 21, 1935). What no main effect explains is interactions. Objectives above 0 count as
logarithms: designs are compared by factors. Of a sampler that learns it describes the points that it visited.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from archsim.explore.results.study import Places, Study


def importance(study: Study, objective: int) -> Mapping[str, float]:
    """The share (0 to 1) of an objective's variance that each parameter explains, over the evaluated points.

    It is 0 if the objective is constant.
    """
    values = study.values()[:, objective]
    if len(values) and values.min() > 0:
        values = np.log(values)
    return {
        parameter.path: _epsilon_squared(values, study.places(place))
        for place, parameter in enumerate(study.space.parameters)
    }


def _epsilon_squared(values: npt.NDArray[np.float64], places: Places) -> float:
    found, groups = np.unique(places, return_inverse=True)
    count, levels = len(values), len(found)
    total = float(np.square(values - values.mean()).sum()) if count else 0.0
    if total <= 0 or levels < 2 or count <= levels:
        return 0.0
    sizes = np.bincount(groups)
    means = np.bincount(groups, weights=values) / sizes
    between = float((sizes * np.square(means - values.mean())).sum())
    within = max(total - between, 0.0) / (count - levels)
    return min(1.0, max(0.0, (between - (levels - 1) * within) / total))
