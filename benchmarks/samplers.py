"""Time a point of NSGA-II: archsim's own, Optuna's, and pymoo's if it is installed, in one run. Asserts nothing.

    python benchmarks/samplers.py                  # 2,560 points of the space `cloud`
    python benchmarks/samplers.py --points 512

Nothing is simulated: the objectives are sums over the places of the parameters' values. Times are the processor's.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt

from archsim.explore import Space
from archsim.explore.search.nsga2 import Nsga2
from archsim.explore.search.samplers import Told

Floats = npt.NDArray[np.float64]
OBJECTIVES = 3


def objectives(places: npt.NDArray[Any], sizes: npt.NDArray[Any]) -> Floats:
    """Three objectives (N, 3) of points (N, P), which pull in different directions."""
    weights = np.random.default_rng(0).random((places.shape[1], OBJECTIVES))
    found: Floats = np.exp(((places / sizes - weights.T[:, None]) ** 2).sum(axis=2)).T
    return found


def of_archsim(space: Space, points: int) -> None:
    """The sampler of `sampler: nsga2`."""
    sampler, sizes = Nsga2(space), np.array(space.sizes)
    for _ in range(points // space.config.population):
        numbers = sampler.ask()
        values = objectives(np.stack(np.unravel_index(numbers, space.sizes), axis=1), sizes)
        sampler.tell([Told(n, tuple(v), 0.0) for n, v in zip(numbers, values.tolist(), strict=True)])


def of_optuna(space: Space, points: int) -> None:
    """NSGAIISampler, asked and told in generations."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    population, sizes = space.config.population, np.array(space.sizes)
    axes: Any = {str(n): optuna.distributions.IntDistribution(0, size - 1) for n, size in enumerate(space.sizes)}
    sampler = optuna.samplers.NSGAIISampler(seed=0, population_size=population)
    study = optuna.create_study(sampler=sampler, directions=["minimize"] * OBJECTIVES)
    for _ in range(points // population):
        trials = [study.ask(axes) for _ in range(population)]
        values = objectives(np.array([list(trial.params.values()) for trial in trials]), sizes)
        for trial, found in zip(trials, values.tolist(), strict=True):
            study.tell(trial, found)


def of_pymoo(space: Space, points: int) -> None:
    """NSGA2 with its own operators for integers, asked and told."""
    from pymoo.algorithms.moo.nsga2 import NSGA2
    from pymoo.core.evaluator import Evaluator
    from pymoo.core.problem import Problem
    from pymoo.operators.crossover.sbx import SBX
    from pymoo.operators.mutation.pm import PM
    from pymoo.operators.repair.rounding import RoundingRepair
    from pymoo.operators.sampling.rnd import IntegerRandomSampling
    from pymoo.problems.static import StaticProblem

    sizes = np.array(space.sizes)
    problem = Problem(n_var=len(sizes), n_obj=OBJECTIVES, xl=0 * sizes, xu=sizes - 1, vtype=int)
    crossover, mutation = (kind(vtype=float, repair=RoundingRepair()) for kind in (SBX, PM))
    population = space.config.population
    algorithm = NSGA2(pop_size=population, sampling=IntegerRandomSampling(), crossover=crossover, mutation=mutation)
    algorithm.setup(problem, termination=("n_gen", points), seed=0, verbose=False)
    for _ in range(points // population):
        asked = algorithm.ask()
        Evaluator().eval(StaticProblem(problem, F=objectives(asked.get("X"), sizes)), asked)
        algorithm.tell(infills=asked)


def main() -> None:
    """Print a line for each."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--points", type=int, default=2560, help="points that are asked for, of each")
    points = parser.parse_args().points
    whole = Space.load("cloud")
    candidates: dict[str, Callable[[Space, int], None]] = {"archsim": of_archsim}
    candidates |= {"optuna": of_optuna} if find_spec("optuna") else {}
    candidates |= {"pymoo": of_pymoo} if find_spec("pymoo") else {}
    for population in (64, 256):
        config = whole.config.model_copy(update={"population": population})
        space = replace(whole, config=config)
        for name, run in candidates.items():
            run(space, population)  # imports
            begun = time.process_time()
            run(space, points)
            spent = (time.process_time() - begun) / points * 1e6
            print(f"{name:8} {points:,} points, {population} a generation: {spent:8.1f} us a point")


if __name__ == "__main__":
    main()
