"""The figures that a report shows, from a program and its trace."""

from archsim.metrics.bounds import Bounds, compute_bounds
from archsim.metrics.declare import Metric, declared
from archsim.metrics.stacks import Stack
from archsim.metrics.statistic import FinishedRun, Statistic
from archsim.metrics.stats import Stats, compute_stats
from archsim.metrics.traffic import Traffic, compute_traffic

__all__ = [
    "Bounds",
    "FinishedRun",
    "Metric",
    "Stack",
    "Statistic",
    "Stats",
    "Traffic",
    "compute_bounds",
    "compute_stats",
    "compute_traffic",
    "declared",
]
