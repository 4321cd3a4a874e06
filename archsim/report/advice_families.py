"""The advice of every family of machines."""

from __future__ import annotations

from collections.abc import Mapping

from archsim.report.advice_gemv import GEMV
from archsim.report.advice_npu import NPU
from archsim.report.advice_systolic import SYSTOLIC
from archsim.report.advice_texts import Advice

FAMILY_ADVICE: Mapping[str, Advice] = {"gemv": GEMV, "npu": NPU, "systolic": SYSTOLIC}
