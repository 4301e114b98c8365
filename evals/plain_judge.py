"""The plainest good model: it reads the turn's prompt, credits what an answer says, and asks what the guide would."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

_EXAMPLE = r"{}: (?:a probe|the main question).*?The guide would say: (.*)"
_ANSWER = re.compile(r"The answer to judge.*?\n<<\w+\n(.*?)\n\w+>>", re.DOTALL)
_CONCRETE = re.compile(r"\d|because|when|whereas|than")


def reply(messages: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """What a good model answers to a turn's prompt, or to the planner's."""
    turn = str(messages[-1].get("content", ""))
    if "if_advance" not in turn:
        topics = re.findall(r"^- ([a-z_]+): ", str(messages[0].get("content", "")), re.MULTILINE)
        return {"weights": [{"topic": topic, "weight": 2} for topic in topics], "extra": None}
    answer = "\n".join(line.partition("| ")[2] for line in _found(_ANSWER, turn).splitlines())
    slots = re.findall(r"[a-z_]+\.[a-z_]+", _found(re.compile("Its open slots: (.*)"), turn))
    quote = re.split(r"(?<=[.!?])\s", answer.strip(), maxsplit=1)[0]
    return {
        "quality": 2 if _CONCRETE.search(answer) and len(answer.split()) > 12 else 1,
        "slots": [{"id": slot, "quote": quote} for slot in slots[:1] if quote],
        "flags": [],
        "lang": "en",
        "if_probe": _found(re.compile(_EXAMPLE.format("if_probe")), turn),
        "if_advance": _found(re.compile(_EXAMPLE.format("if_advance")), turn),
    }


def _found(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return match[1].strip() if match else ""
