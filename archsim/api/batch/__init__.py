"""Evaluates many designs at once: figures as columns, and whatever designs share worked out once."""

from archsim.api.batch.columns import Column
from archsim.api.batch.designs import Designs
from archsim.api.batch.evaluate import BatchEvaluator, BatchFigures, Figures
from archsim.api.batch.frames import BatchFrames, evaluate_frames

__all__ = [
    "BatchEvaluator",
    "BatchFigures",
    "BatchFrames",
    "Column",
    "Designs",
    "Figures",
    "evaluate_frames",
]
