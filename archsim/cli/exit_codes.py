"""Names the exit codes of the command line."""

from __future__ import annotations

EXIT_INVALID = 1
"""The simulated machine did not compute what the model computes, or a published figure is out of its tolerance."""
EXIT_USER = 2
"""Something about the input is wrong."""
EXIT_BUG = 3
"""archsim contradicts itself."""
EXIT_INTERRUPTED = 130
