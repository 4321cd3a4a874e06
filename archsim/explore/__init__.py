"""Design-space exploration: `space = Space.load("edge"); study = explore(space); study.pareto()`."""

from archsim.explore.results.study import Point, Status, Study
from archsim.explore.run.explore import explore
from archsim.explore.space.space import Space

__all__ = ["Point", "Space", "Status", "Study", "explore"]
