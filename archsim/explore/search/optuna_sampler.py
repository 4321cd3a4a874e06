"""Wraps Optuna's samplers (NSGA-III, TPE), asked and told in rounds; nothing they learn is stored.

Optuna's storage stays in memory: its SQLite storage costs some 140 ms a trial. After an interruption the sampler is
taken through the same rounds again, with the results from the journal, and so arrives at the same state.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from archsim.errors import OutputError
from archsim.explore.search.samplers import Sampler, Told
from archsim.explore.space.space import Space
from archsim.explore.space.space_config import SamplerName

if TYPE_CHECKING:
    import optuna

UNKNOWN = 1e30
"""Stands for the objectives of a point that has none; its violation says that it is infeasible."""
_VIOLATION = "violation"


class OptunaSampler(Sampler):
    """One of Optuna's samplers over the places of the parameters' values.

    A parameter of numbers is an integer axis, whose neighbours are alike; one of names is categorical.
    """

    def __init__(self, space: Space) -> None:
        try:
            import optuna
        except ModuleNotFoundError:
            name = space.config.sampler
            raise OutputError(f'the sampler {name} needs Optuna: pip install "archsim[explore]"') from None
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._space = space
        self._state: Any = optuna.trial.TrialState
        self._axes: dict[str, Any] = {}
        for parameter in space.parameters:
            last = len(parameter.choices) - 1
            self._axes[parameter.path] = (
                optuna.distributions.IntDistribution(0, last)
                if parameter.numeric
                else optuna.distributions.CategoricalDistribution(list(range(last + 1)))
            )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # some options are marked experimental
            self._study: Any = optuna.create_study(
                sampler=_make(space), directions=["minimize"] * len(space.objectives)
            )
        self._trials: list[Any] = []

    def ask(self) -> list[int]:
        self._trials = [self._study.ask(self._axes) for _ in range(self._space.config.population)]
        paths = [parameter.path for parameter in self._space.parameters]
        return [self._space.number(tuple(trial.params[path] for path in paths)) for trial in self._trials]

    def tell(self, results: Sequence[Told]) -> None:
        for trial, told in zip(self._trials, results, strict=True):
            values = told.values or (UNKNOWN,) * len(self._space.objectives)
            trial.set_user_attr(_VIOLATION, told.violation)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self._study.tell(trial, list(values))


def _make(space: Space) -> optuna.samplers.BaseSampler:
    import optuna

    config = space.config
    seed, population, samplers = config.seed, config.population, optuna.samplers
    if config.sampler is SamplerName.NSGA3:
        return samplers.NSGAIIISampler(seed=seed, population_size=population, constraints_func=_violations)
    return samplers.TPESampler(seed=seed, multivariate=True, constant_liar=True, constraints_func=_violations)


def _violations(trial: optuna.trial.FrozenTrial) -> tuple[float]:
    return (trial.user_attrs[_VIOLATION],)
