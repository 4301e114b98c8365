"""The plainest good judge: it credits nothing, and asks on in words of its own."""

from collections.abc import Mapping, Sequence
from typing import Any

_PROBES = ("What happened then, step by step?", "How did that play out in the weeks after?")


def reply(messages: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """What a model might answer to a turn's prompt."""
    nth = sum(len(str(message.get("content", ""))) for message in messages)
    return {
        "quality": 1,
        "slots": [],
        "flags": [],
        "lang": "en",
        "if_probe": _PROBES[nth % len(_PROBES)],
        "if_advance": "What comes to mind when you think of that time?",
    }
