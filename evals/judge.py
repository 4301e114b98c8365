"""A fake model that judges and words like a good one, a pure function of what it is asked.

It is right about whether an answer is vague 19 times in 20, which is an assumption and not a finding: what it proves is
what the engine makes of it.
"""

import random
import re
from collections.abc import Mapping, Sequence

from afterword import paige
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
    """The reply of a good model to `ask`. How vague the answer is it knows from the simulation's `reply`; the rest it
    reads from the prompt, as a model would."""
    rng = random.Random(f"judge {state.seed} {state.turns} {ask.attempt} {ask.answer.text}")
    turn = ask.messages[-1]["content"] if ask.messages else ""
    quality = {"vague": 0, "good": 2}.get(reply.label, 1 if reply.released else 0)
    if rng.random() < _WRONG:
        quality = 2 - quality
    advance = _advance(guide, state, turn, rng)
    probe = _probe(turn, ask.answer.text, rng)
    if ask.attempt == 1 and rng.random() < _SLIPS:
        bad = rng.choice(_BAD)
        probe, advance = bad.format(question=probe), bad.format(question=advance)
    return {
        "quality": quality,
        "slots": _slots(turn, ask.answer.text) if quality else [],
        "flags": [],
        "lang": state.language,
        "if_probe": probe,
        "if_advance": advance,
    }


def _slots(turn: str, text: str) -> list[dict[str, str]]:
    """The best exact sentence for the first slot of the topic that is open."""
    sentences = [s.strip() for s in re.split(r"(?<=[.!?])\s+", text) if s.strip()]
    found = re.search(r"^Its open slots: ([\w.]+)", turn, re.MULTILINE)
    if not sentences or found is None or "." not in found[1]:
        return []
    return [{"id": found[1], "quote": max(sentences, key=len)}]


def _probe(turn: str, text: str, rng: random.Random) -> str:
    """A probe of the kind that is asked for, in words not used before."""
    found = re.search(r"^if_probe: a probe of the kind (\w+)", turn, re.MULTILINE)
    if found is None:
        return ""
    options = list(_PROBES.get(found[1], _PROBES["episode"]))
    rng.shuffle(options)
    words = _words(text)
    usable = [option.format(words=words) for option in options if words or "{words}" not in option]
    return next((option for option in usable if option not in turn), usable[0] if usable else "What led to that?")


def _words(text: str) -> str:
    """A clause of theirs of two to seven words."""
    clauses = [clause.strip() for clause in re.split(r"[,.;:!?]", text)]
    return next((clause for clause in clauses if 2 <= len(clause.split()) <= 7), "")


def _advance(guide: paige.Guide, state: paige.State, turn: str, rng: random.Random) -> str:
    """The next topic's main question, in a wording of the guide that the script would not have chosen."""
    found = re.search(r"^if_advance: the main question of ([\w-]+)", turn, re.MULTILINE)
    if found is None:
        return ""
    said = {"vendor": "Acme", "company": "Northwind", "first_name": "Jane", "competitor": state.competitor}
    words = guide.pack(state.language).topics[found[1]]
    texts = [text.format(**said) for text in words.main if _fits(text, said)]
    fresh = [text for text in texts if text not in turn] or texts
    return f"{rng.choice(_BRIDGES)} {rng.choice(fresh)}".strip() if fresh else ""


def _fits(text: str, said: Mapping[str, str]) -> bool:
    return all(said.get(name) for name in re.findall(r"\{(\w+)\}", text))
