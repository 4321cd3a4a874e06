"""How near a sampled exploration comes to a long one: hypervolumes of fronts, each against the best. Asserts nothing.

    python benchmarks/hypervolume.py cloud --budgets 4000 40000 --seeds 0 1

Objectives are taken in logarithms, from the best to the worst that any of the fronts has, so that each counts alike;
the reference point is the worst of each.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from archsim.explore import Space, explore
from archsim.explore.search.front import hypervolume


def front(space: Space, budget: int, seed: int) -> tuple[np.ndarray, float]:
    """Objectives of the front (N, M), and seconds."""
    begun = time.perf_counter()
    study = explore(space.with_budget(budget, seed))
    values = np.array([point.objectives for point in study.pareto()])
    return values * np.array([objective.sign for objective in space.objectives]), time.perf_counter() - begun


def main() -> None:
    """Print a line for each run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("space")
    parser.add_argument("--budgets", type=int, nargs="+", required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    asked = parser.parse_args()
    space = Space.load(asked.space)
    runs = [(budget, seed, *front(space, budget, seed)) for budget in asked.budgets for seed in asked.seeds]
    logs = [np.log(values) for _, _, values, _ in runs]
    every = np.vstack(logs)
    least, most = every.min(axis=0), every.max(axis=0)
    volumes = [hypervolume((values - least) / (most - least), [1.0] * len(least)) for values in logs]
    whole = hypervolume((every - least) / (most - least), [1.0] * len(least))
    print(f"all fronts together: hypervolume {whole:.5f}")
    for (budget, seed, values, seconds), volume in zip(runs, volumes, strict=True):
        share = f"{100 * volume / whole:7.3f} % of it"
        print(f"budget {budget:7,} seed {seed}: {len(values):4} points, {volume:.5f}, {share}, {seconds:6.1f} s")


if __name__ == "__main__":
    main()
