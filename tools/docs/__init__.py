"""Writes those parts of docs/ that are made from the code."""

from __future__ import annotations

from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"
"""The folder of the pages."""
