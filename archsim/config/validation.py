"""Turns a document and the command line's overrides into a model, or into all faults at once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from archsim.config.document import Document
from archsim.config.mistakes import Problem
from archsim.config.overrides import Edited, Override, apply_overrides
from archsim.config.problems import inexact_choices, problems_of
from archsim.config.slots import slot_of
from archsim.config.text import dotted
from archsim.errors import Fault, FaultsError

M = TypeVar("M", bound=BaseModel)


def validate(
    model: type[M],
    document: Document,
    overrides: Sequence[Override],
    error: type[FaultsError],
    given: Sequence[object] = (),
) -> M:
    """The `model` that `document` describes once `overrides` are set in it, in their order.

    `given`: values that fields of the type NamedOrGiven may name, besides those that are registered.

    Raises `error` with a fault for everything that is wrong: in the order of the file's lines, then the
    overrides.
    """
    edited = apply_overrides(document, overrides, slot_of(model))
    value, problems = _check(model, edited.data, given)
    problems.sort(key=lambda problem: edited.order(problem.path))
    faults = [*(_fault(problem, edited) for problem in problems), *edited.faults]
    if faults or value is None:
        # One `--set` given twice has its faults once, and so has what pydantic and the exact check both refuse.
        raise error(tuple(dict.fromkeys(faults)))
    return value


def _check(model: type[M], data: dict[str, Any], given: Sequence[object]) -> tuple[M | None, list[Problem]]:
    slot = slot_of(model)
    value = None
    problems: list[Problem] = []
    try:
        # The data is what JSON can hold, and pydantic's rules for JSON fit it: strict about the types of
        # values, but a list may become a tuple, and a string a member of an enumeration.
        value = model.model_validate_json(json.dumps(data, allow_nan=False), strict=True, context=given)
    except ValidationError as failure:
        problems = problems_of(failure, slot, data)
    problems.extend(inexact_choices(slot, data))
    return value, problems


def _fault(problem: Problem, edited: Edited) -> Fault:
    message = problem.message
    if problem.whole and problem.path not in edited.origins:
        # The line is the file's, but the values that do not go together may be the command line's.
        involved = ", ".join(str(override) for override in edited.set_inside(problem.path))
        message += f" (with {involved})" if involved else ""
    return Fault(edited.where(problem.path), dotted(problem.path), message)
