"""The numbers that stand for causes of waits and for events of ops wherever a run is counted in arrays.

Both engines book waits under these codes, and the order of the codes is part of the timing rules: of several tokens
that arrive in the same cycle, the one whose cause has the highest code is what the op has waited for.
"""

from __future__ import annotations

from archsim.program.ir import After, Wait

CAUSES: tuple[Wait, ...] = tuple(Wait)
"""The cause of each code."""

CAUSE_CODES: dict[Wait, int] = {cause: code for code, cause in enumerate(CAUSES)}
ISSUE_CODE = CAUSE_CODES[Wait.ISSUE]
OPERAND_CODE = CAUSE_CODES[Wait.OPERAND]

EVENTS: tuple[After, ...] = tuple(After)
"""The event of each code."""

EVENT_CODES: dict[After, int] = {event: code for code, event in enumerate(EVENTS)}
DONE_CODE = EVENT_CODES[After.DONE]
FIRST_CODE = EVENT_CODES[After.FIRST]
