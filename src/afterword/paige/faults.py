"""What is wrong with a guide: by its JSON schema, and by what a schema cannot say. Each fault names its place."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from typing import Any, cast

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from afterword.paige import content

# Placeholders that always have a value, and those that may be missing for a contact.
_ALWAYS = frozenset({"vendor", "interviewer", "reader", "minutes"})
_SOMETIMES = frozenset({"first_name", "company", "competitor", "score", "their_words"})

# With fewer wordings two interviews in a row sound like a form.
_MIN_MAIN = 3
_MIN_PROBES = 2

# A message shows so much of a value.
_SHOWN = 60

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")

Fault = tuple[str, str]


def find_faults(data: dict[str, Any]) -> list[Fault]:
    """(place, what is wrong) of everything found; the second kind is looked for only where the schema holds."""
    by_schema = _validator().iter_errors(data)  # pyright: ignore[reportUnknownMemberType]  # the library has no types
    return sorted({fault for error in by_schema for fault in _places_of(error)}) or list(_faults(data))


def probe_types(topic: Mapping[str, Any]) -> tuple[str, ...]:
    """The kinds of probe a topic uses, in the order of the ladder."""
    if not topic.get("max_probes", 2):
        return ()
    return tuple(topic.get("probe_types", ("episode", "echo", "contrast", "weight")))


def probe_wordings(
    kind: str, words: Mapping[str, Any], pack: Mapping[str, Any], shared: Mapping[str, Any]
) -> tuple[str, ...]:
    """The topic's own wordings of a probe type, else the pack's, else the shipped ones."""
    for source in (words, pack, shared):
        if texts := source.get("probes", {}).get(kind):
            return tuple(texts)
    return ()


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(content.guide_schema())


def _places_of(error: ValidationError) -> Iterator[Fault]:
    """A fault by the schema as (where, what), in words for the person who wrote the guide; one for each name."""
    path = list(error.absolute_path)
    wanted, found = cast("Any", error.validator_value), cast("Any", error.instance)
    match error.validator:
        case "additionalProperties":
            known: list[str] = sorted(cast("Any", error.schema)["properties"])
            for unknown in (str(key) for key in found if key not in known):
                near = _did_you_mean(get_close_matches(unknown, known, 1), known)
                yield _where([*path, unknown]), f"is not known here; {near}"
        case "required":
            yield from ((_where([*path, key]), "is missing") for key in wanted if key not in found)
        case "pattern" if "propertyNames" in error.absolute_schema_path:
            yield _where([*path, found]), f"is not a name that fits here: must match {wanted}"
        case _:
            yield _where(path), _what(error, wanted, found)


def _what(error: ValidationError, wanted: Any, found: Any) -> str:
    what = error.message[:200]
    match error.validator:
        case "minLength" if wanted == 1:
            what = "is empty"
        case "minLength" | "minItems":
            what = f"has {len(found)} {_UNITS[error.validator]}, must have at least {wanted}"
        case "maxLength" | "maxItems":
            what = f"has {len(found)} {_UNITS[error.validator]}, must have at most {wanted}"
        case "enum":
            what = f"is {_shown(found)}, must be one of {', '.join(map(str, wanted))}"
        case "pattern":
            what = "is empty" if wanted == r"\S" else f"is {_shown(found)}, must match {wanted}"
        case "type":
            what = f"must be {wanted if isinstance(wanted, str) else ' or '.join(wanted)}"
            if wanted == "string" and isinstance(found, bool | int | float):
                what += f", not {json.dumps(found)[:_SHOWN]}; put it in quotes"
        case _:
            pass
    return what


def _shown(value: object) -> str:
    """A value as a message shows it."""
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


_UNITS = {"minLength": "characters", "maxLength": "characters", "minItems": "entries", "maxItems": "entries"}


def _did_you_mean(near: list[str], known: list[str]) -> str:
    return f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"


def _where(path: Sequence[str | int]) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".") or "guide"


def _faults(data: dict[str, Any]) -> Iterator[Fault]:
    """What the schema cannot say: names that must agree, and enough wordings."""
    topics: list[dict[str, Any]] = data["topics"]
    ids = [topic["id"] for topic in topics]
    for number, topic in enumerate(topics):
        yield from _topic_faults(f"topics[{number}]", topic, ids, ids.index(topic["id"]) < number)
    if sum(bool(topic.get("driver")) for topic in topics) > 1:
        yield "topics", "only one topic can be the main driver"
    must_haves = sum(bool(topic.get("must_have")) for topic in topics)
    if must_haves + 1 > data.get("max_questions", 20):
        yield "max_questions", f"leaves no room for {must_haves} must-have topics and the closing question"
    if data["language"] not in data["languages"]:
        yield "language", f"is {data['language']!r}, but languages has no such pack"
    for language, pack in data["languages"].items():
        if shared := content.phrases(language):
            yield from _pack_faults(f"languages.{language}", pack, topics, shared)
        else:
            yield f"languages.{language}", "is not a language the interviewer speaks yet"


def _topic_faults(here: str, topic: dict[str, Any], ids: list[str], twice: bool) -> Iterator[Fault]:
    if twice:
        yield f"{here}.id", f"{topic['id']!r} is used twice"
    slots = [slot["id"] for slot in topic.get("slots", [])]
    for number, slot in enumerate(slots):
        if slots.index(slot) < number:
            yield f"{here}.slots[{number}].id", f"{slot!r} is used twice"
    if topic.get("max_probes", 2) > 2 and not topic.get("driver"):
        yield f"{here}.max_probes", "is 3, which only the main driver may have (driver: true)"
    for number, branch in enumerate(topic.get("branch", [])):
        if branch.get("slot") and branch["slot"] not in slots:
            yield f"{here}.branch[{number}].slot", f"{branch['slot']!r} is not a slot of this topic"
        if branch.get("otherwise") and not branch.get("slot"):
            yield (
                f"{here}.branch[{number}].otherwise",
                "needs the slot of the scale that may be left unanswered",
            )
        for position, target in enumerate(branch.get("skip", [])):
            if target not in ids or target == topic["id"]:
                yield f"{here}.branch[{number}].skip[{position}]", f"{target!r} is not another topic of this guide"


def _pack_faults(
    here: str, pack: dict[str, Any], topics: list[dict[str, Any]], shared: Mapping[str, Any]
) -> Iterator[Fault]:
    for part in ("opening", "catch_all", "closing"):
        yield from _wording_faults(f"{here}.{part}", pack.get(part, []))
    for key, texts in pack.get("faq", {}).items():
        yield from _wording_faults(f"{here}.faq.{key}", texts)
    for key, texts in pack.get("phrases", {}).items():
        yield from _wording_faults(f"{here}.phrases.{key}", texts)
    for kind, texts in pack.get("probes", {}).items():
        yield from _wording_faults(f"{here}.probes.{kind}", texts, words=kind == "echo")
    known = {topic["id"] for topic in topics}
    for topic_id in pack["topics"]:
        if topic_id not in known:
            yield f"{here}.topics.{topic_id}", "is not a topic of this guide"
    for topic in topics:
        if topic["id"] not in pack["topics"]:
            yield f"{here}.topics.{topic['id']}", "is missing"
            continue
        yield from _topic_wording_faults(f"{here}.topics.{topic['id']}", topic, pack, shared)


def _topic_wording_faults(
    here: str, topic: dict[str, Any], pack: dict[str, Any], shared: Mapping[str, Any]
) -> Iterator[Fault]:
    words: dict[str, Any] = pack["topics"][topic["id"]]
    if len(words["main"]) < _MIN_MAIN:
        yield f"{here}.main", f"has {len(words['main'])} wordings, needs at least {_MIN_MAIN}"
    for part in ("main", "simpler", "bridge"):
        yield from _wording_faults(f"{here}.{part}", words.get(part, []))
    yield from _wording_faults(f"{here}.heard", words.get("heard", []), words=True)
    for kind, texts in words.get("probes", {}).items():
        yield from _wording_faults(f"{here}.probes.{kind}", texts, words=kind == "echo")
    for kind in probe_types(topic):
        count = len(probe_wordings(kind, words, pack, shared))
        if count < _MIN_PROBES:
            yield f"{here}.probes.{kind}", f"has {count} wordings, needs at least {_MIN_PROBES}"
    yield from _part_faults(here, topic, words)


def _part_faults(here: str, topic: dict[str, Any], words: dict[str, Any]) -> Iterator[Fault]:
    slots = {slot["id"]: slot for slot in topic.get("slots", [])}
    for slot_id, slot_words in words.get("slots", {}).items():
        if slot_id not in slots:
            yield f"{here}.slots.{slot_id}", "is not a slot of this topic"
        yield from _wording_faults(f"{here}.slots.{slot_id}.ask", slot_words.get("ask", []))
    for slot_id, slot in slots.items():
        if slot["kind"] in ("choice", "scale"):
            for part in ("ask", "choices"):
                if not words.get("slots", {}).get(slot_id, {}).get(part):
                    yield f"{here}.slots.{slot_id}.{part}", f"is missing: a {slot['kind']} is asked with its choices"
    branches = {branch["id"] for branch in topic.get("branch", [])}
    for branch_id, branch_words in words.get("branches", {}).items():
        if branch_id not in branches:
            yield f"{here}.branches.{branch_id}", "is not a branch of this topic"
        yield from _wording_faults(f"{here}.branches.{branch_id}.ask", branch_words.get("ask", []))


def _wording_faults(where: str, texts: Sequence[str], *, words: bool = False) -> Iterator[Fault]:
    """Faults of one list of wordings. With `words`, each must hold {their_words}; without, none may."""
    needed = {"their_words"} if words else set[str]()
    for number, text in enumerate(texts):
        used = set(_PLACEHOLDER.findall(text))
        for name in sorted(used - _ALWAYS - _SOMETIMES):
            near = get_close_matches(name, sorted(_ALWAYS | _SOMETIMES), 1)
            yield f"{where}[{number}]", f"{{{name}}} is not known; {_did_you_mean(near, sorted(_ALWAYS | _SOMETIMES))}"
        if re.search(r"[{}]", _PLACEHOLDER.sub("", text)):
            yield f"{where}[{number}]", "has a brace that is not part of a placeholder"
        if words and "their_words" not in used:
            yield f"{where}[{number}]", "must hold {their_words}"
        if not words and "their_words" in used:
            yield f"{where}[{number}]", "may not hold {their_words}, which only echo probes and heard have"
    if texts and not any(set(_PLACEHOLDER.findall(text)) <= _ALWAYS | needed for text in texts):
        missing = ", ".join(f"{{{name}}}" for name in sorted(_SOMETIMES - {"their_words"}))
        yield where, f"needs one wording that works without {missing}"
