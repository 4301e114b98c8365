"""A fake model that judges and words like a good one, a pure function of what it is asked.

It is right about whether an answer is vague 19 times in 20, which is an assumption and not a finding: what it proves is
what the engine makes of it.
"""

import random
import re
from collections.abc import Mapping, Sequence

from afterword import paige
from afterword.paige.guide import Topic
from evals.respondents import Reply

# How often it misjudges, and how often it words something that the guard must not let through.
_WRONG = 0.05
_SLIPS = 0.03

_PROBES: Mapping[str, Sequence[str]] = {
    "episode": (
        "Which situation comes to mind when you think of “{words}”?",
        "Tell me about one day on which that showed.",
        "Tell me what happened the last time you noticed that.",
        "What is one example of that from your own work?",
    ),
    "echo": (
        "What lies behind “{words}”?",
        "When you write “{words}”, what do you mean by it?",
        "Tell me more about “{words}”.",
    ),
    "contrast": (
        "How was that with the others you looked at?",
        "What was different about that elsewhere?",
    ),
    "weight": (
        "How much did that count for you?",
        "How heavily did that weigh next to the rest?",
    ),
}
_BRIDGES = ("Thank you.", "Noted.", "Understood.", "I see.", "", "", "", "")
_BAD = (
    "That's great, thank you so much for sharing! {question}",
    "{question} And how did that make you feel?",
    "So you felt let down, right?",
    "Was it more the price or was it the missing features?",
    "I heard that Quorvane gave you 37 percent off. {question}",
    "We have since fixed that. {question}",
)


def judge(guide: paige.Guide, state: paige.State, ask: paige.Ask, reply: Reply) -> dict[str, object]:
    """The reply of a good model to `ask`, about the respondent's `reply`."""
    rng = random.Random(f"judge {state.seed} {state.turns} {ask.attempt} {ask.answer.text}")
    topic = guide.topic(state.pending.topic)
    quality = {"vague": 0, "good": 2}.get(reply.label, 1 if reply.released else 0)
    if rng.random() < _WRONG:
        quality = 2 - quality
    advance = _advance(guide, state, rng)
    probe = _probe(topic, state, ask.answer.text, rng)
    if ask.attempt == 1 and rng.random() < _SLIPS:
        probe, advance = (rng.choice(_BAD).format(question=text) for text in (probe, advance))
    return {
        "quality": quality,
        "slots": _slots(topic, state, ask.answer.text) if quality else [],
        "flags": [],
        "lang": "en",
        "if_probe": probe,
        "if_advance": advance,
    }


def _slots(topic: Topic, state: paige.State, text: str) -> list[dict[str, str]]:
    """The best exact sentence for the slot that was asked, else for the first must-have one that is still open."""
    sentences = [s.strip() for s in re.split(r"(?<=[.!?])\s+", text) if s.strip()]
    told = {item.slot for item in state.evidence if item.topic == topic.id}
    open_ = [s.id for s in topic.slots if s.kind in ("text", "entity") and s.id not in told]
    wanted = state.pending.key if state.pending.kind == "slot" else next(iter(open_), "")
    if not sentences or not wanted:
        return []
    return [{"id": f"{topic.id}.{wanted}", "quote": max(sentences, key=len)}]


def _probe(topic: Topic, state: paige.State, text: str, rng: random.Random) -> str:
    used = state.topic(topic.id).used
    kind = next((k for k in topic.probe_types if k not in used), "episode")
    options = list(_PROBES.get(kind, _PROBES["episode"]))
    rng.shuffle(options)
    words = _words(text)
    usable = [option for option in options if words or "{words}" not in option]
    fresh = [option.format(words=words) for option in usable]
    return next((option for option in fresh if option not in state.asked), fresh[0] if fresh else "What led to that?")


def _words(text: str) -> str:
    """A clause of theirs of two to seven words."""
    clauses = [clause.strip() for clause in re.split(r"[,.;:!?]", text)]
    return next((clause for clause in clauses if 2 <= len(clause.split()) <= 7), "")


def _advance(guide: paige.Guide, state: paige.State, rng: random.Random) -> str:
    """The next topic as a good interviewer would open it, in wording of the guide that the script did not choose."""
    pack = guide.pack(state.language)
    ahead = [t for t in guide.topics if t.id != state.pending.topic and state.topic(t.id).status == "open"]
    said = {"vendor": "Acme", "company": "Northwind", "first_name": "Jane", "competitor": state.competitor}
    for topic in sorted(ahead, key=lambda t: t.order_group):
        texts = [text for text in (*pack.topics[topic.id].main, *pack.topics[topic.id].simpler) if _fits(text, said)]
        if texts:
            bridge = rng.choice(_BRIDGES)
            return f"{bridge} {texts[rng.randrange(len(texts))].format(**said)}".strip()
    return "What should I have asked that I didn't?"


def _fits(text: str, said: Mapping[str, str]) -> bool:
    return all(said.get(name) for name in re.findall(r"\{(\w+)\}", text))
