"""Paige, the interviewer: pure code that reads an answer and decides what is said next.

The hand-shake is `open`, then `hear` for each answer; where `hear` gives an `Ask`, its reply goes to `decide`.
Nothing here knows a database, a network or a clock.
"""

from afterword.paige.checking import Checked, check_guide
from afterword.paige.content import guide_schema, shipped_guides
from afterword.paige.guard import craft_warnings
from afterword.paige.guide import Guide, GuideError, load_guide, load_guide_text
from afterword.paige.guide_text import Finding
from afterword.paige.masking import mask
from afterword.paige.planner import plan_ask, read_plan
from afterword.paige.script import ACTIONS, decide, hear, open, progress  # noqa: A004  # the hand-shake's name, used as paige.open
from afterword.paige.state import Answer, Ask, Context, Event, Failure, Line, Mode, Plan, Progress, State, Step

__all__ = [
    "ACTIONS",
    "Answer",
    "Ask",
    "Checked",
    "Context",
    "Event",
    "Failure",
    "Finding",
    "Guide",
    "GuideError",
    "Line",
    "Mode",
    "Plan",
    "Progress",
    "State",
    "Step",
    "check_guide",
    "craft_warnings",
    "decide",
    "guide_schema",
    "hear",
    "load_guide",
    "load_guide_text",
    "mask",
    "open",
    "plan_ask",
    "progress",
    "read_plan",
    "shipped_guides",
]
