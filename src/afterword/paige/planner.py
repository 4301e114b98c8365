"""The planner's question to a model, and what is taken of its reply: ids and numbers of a closed world, no text."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, cast

from afterword.paige import content
from afterword.paige.guide import Guide
from afterword.paige.prompt import private_lines
from afterword.paige.state import Answer, Ask, Context, Plan

# A job asks it, no contact waits for it.
_DEADLINE = 30.0
_MOST = 9
_MOST_CHARS = 40


def plan_ask(guide: Guide, context: Context) -> Ask:
    """The question to the model that plans an interview. Its reply goes to `read_plan`."""
    optional = optional_slots(guide)
    topics = "\n".join(f"- {topic.id}: {topic.intent}" for topic in guide.topics)
    slots = "\n".join(f"- {topic}.{slot}" for topic, slot in optional) or "- none"
    rules = f"{content.prompt('planner')}{topics}\n\nOptional slots:\n{slots}"
    inputs = f"{guide.slug}\0{context.notes}\0{context.objective}"
    mark = hashlib.sha256(inputs.encode(errors="replace")).hexdigest()[:20]
    lines = "\n".join(private_lines(context, mark))
    block = f"The background, between the two marks {mark}:\n<<{mark}\n{lines}\n{mark}>>"
    messages = ({"role": "system", "content": rules}, {"role": "user", "content": block})
    return Ask(messages, _schema(guide, optional), _DEADLINE, Answer(), fixed=1)


def read_plan(guide: Guide, reply: object) -> Plan | None:
    """The plan in a reply: weights of topics that exist, at most one optional slot that exists; all else is dropped.

    None when no weight of any topic is in it.
    """
    if not isinstance(reply, Mapping):
        return None
    given = cast("Mapping[str, Any]", reply)
    known = {topic.id for topic in guide.topics}
    weights: dict[str, int] = {}
    for topic, weight in _pairs(given.get("weights")):
        if isinstance(topic, str) and topic in known and isinstance(weight, int) and not isinstance(weight, bool):
            weights[topic] = min(_MOST, max(0, weight))
    if not weights:
        return None
    extra: object = given.get("extra")
    wanted: Mapping[str, object] = cast("Mapping[str, object]", extra) if isinstance(extra, Mapping) else {}
    named = (wanted.get("topic"), wanted.get("slot"))
    chosen = next((slot for slot in optional_slots(guide) if slot == named), None)
    return Plan({topic.id: weights.get(topic.id, 0) for topic in guide.topics}, chosen)


def optional_slots(guide: Guide) -> list[tuple[str, str]]:
    """(topic, slot) of every slot that need not be asked, but has words to be asked with."""
    pack = guide.pack(guide.language)
    return [
        (topic.id, slot.id)
        for topic in guide.topics
        for slot in topic.slots
        if not slot.must_have and slot.kind in ("text", "entity") and pack.topics[topic.id].slot(slot.id).ask
    ]


def _pairs(value: object) -> list[tuple[object, object]]:
    """(topic, weight) of a list of both, or of a mapping from one to the other."""
    if isinstance(value, Mapping):
        return list(cast("Mapping[object, object]", value).items())
    items = cast("list[Any]", value) if isinstance(value, list) else []
    return [
        (item.get("topic"), item.get("weight"))  # pyright: ignore[reportUnknownMemberType]
        for item in items
        if isinstance(item, Mapping) and isinstance(item.get("topic"), str)  # pyright: ignore[reportUnknownMemberType]
    ]


def _schema(guide: Guide, optional: Sequence[tuple[str, str]]) -> Mapping[str, object]:
    topics = {"type": "string", "enum": [topic.id for topic in guide.topics]}
    slots = sorted({slot for _, slot in optional})
    extra: dict[str, object] = {
        "type": "object",
        "properties": {
            "topic": {"type": "string", "enum": sorted({topic for topic, _ in optional})},
            "slot": {"type": "string", "enum": slots},
        },
        "required": ["topic", "slot"],
        "additionalProperties": False,
    }
    weight = {
        "type": "object",
        "properties": {"topic": topics, "weight": {"type": "integer"}},
        "required": ["topic", "weight"],
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {
            "weights": {"type": "array", "items": weight},
            "extra": {"anyOf": [extra, {"type": "null"}]} if optional else {"type": "null"},
        },
        "required": ["weights", "extra"],
        "additionalProperties": False,
    }
