"""One hypothesis profile for all tests: the same examples in every run, no clock, no database of failures."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile(
    "archsim",
    derandomize=True,
    deadline=None,
    database=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("archsim")
