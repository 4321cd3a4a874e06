"""The advice of every family of machines."""

from __future__ import annotations

from collections.abc import Mapping

from archsim.families.advice import Advice
from archsim.families.gemv.advice import GEMV
from archsim.families.npu.advice import NPU
from archsim.families.systolic.advice import SYSTOLIC

FAMILY_ADVICE: Mapping[str, Advice] = {"gemv": GEMV, "npu": NPU, "systolic": SYSTOLIC}
