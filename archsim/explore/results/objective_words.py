"""Says what an objective is in words, with its unit."""

from __future__ import annotations

import ast

from archsim.explore.space.objectives import Objective
from archsim.report.figures.drawing import quantity


def objective_words(objective: Objective) -> str:
    """The objective as text for an axis: "body (us)"; the unit is that in its name, or of the figure that it is."""
    named = quantity(objective.name.replace(".", "_"))
    unit = objective_unit(objective)
    return named if not unit or named.endswith(f"({unit})") else f"{named} ({unit})"


def objective_unit(objective: Objective) -> str:
    """The unit, as the end of its name says, or that of the one figure that it is; "" if neither does."""
    names = [objective.name.replace(".", "_")]
    if isinstance(objective.expression.tree, ast.Name | ast.Attribute):
        names.append(objective.expression.text.strip().replace(".", "_"))
    units = (quantity(name).rpartition(" (")[2].removesuffix(")") for name in names if quantity(name).endswith(")"))
    return next(units, "")
