"""Design-space exploration: `space = Space.load("edge"); study = explore(space); study.pareto()`."""

from archsim.explore.run import explore
from archsim.explore.space import Space
from archsim.explore.study import Point, Status, Study

__all__ = ["Point", "Space", "Status", "Study", "explore"]
