"""Evaluates many designs at once: figures as columns, and whatever designs share worked out once."""

from archsim.api.batch.columns import Column
from archsim.api.batch.designs import Designs
from archsim.api.batch.evaluate import BatchEvaluator, BatchFigures, Figures
from archsim.api.batch.frames import BatchFrames, evaluate_frames
from archsim.api.batch.wanted import EVERYTHING, Wanted

__all__ = [
    "EVERYTHING",
    "BatchEvaluator",
    "BatchFigures",
    "BatchFrames",
    "Column",
    "Designs",
    "Figures",
    "Wanted",
    "evaluate_frames",
]
