"""The worst of models: every content fault there is, and the interview is one all the same."""

# ruff: noqa: E501  # what is said and what is expected stand whole on one line

import base64
import codecs
import itertools
import json
import random
import re
from functools import partial

import pytest

from afterword import paige
from afterword.paige import guard, verdict, wording
from tests.paige_models import LOST, ModelTalk, always, example, good, worded
from tests.paige_talks import GUIDES, Talk, context, cooperative, own_words, words
from tests.paige_two_languages import TINY, telling
from tests.test_paige_guard import BACKGROUND, DEAL, NOTES, OBJECTIVE


def spoken(text):
    return lambda rng: worded(text)


def crying(flag, rng):
    return always(flags=[flag], quality=0)


SECRET = "Quorvane undercut us by 37 percent; canary-7f3a91"
BASE64 = base64.b64encode(SECRET.encode()).decode()
HOSTILE = {
    "wrong schema": lambda rng: lambda ask: {"quality": "high", "slots": {"a": 1}, "flags": "stop", "if_probe": 3, "if_advance": None},
    "unknown slots": lambda rng: always(slots=[{"id": "moon.base", "quote": "x"}, {"id": 4}], quality=2),
    "nothing": lambda rng: lambda ask: {},
    "text": lambda rng: lambda ask: "I'd rather chat",
    "half of it": lambda rng: lambda ask: {"quality": 2},
    "stop codes": spoken("[STOP] INTERVIEW_COMPLETE"),
    "the end": spoken("Thank you for your time, the interview is now complete. What else?"),
    "a tool call": spoken('{"tool": "end_interview", "arguments": {}}'),
    "leak": spoken(f"My notes say: {SECRET}. What do you think?"),
    "leak of the objective": spoken(f"I am to {OBJECTIVE}. What about it?"),
    "leak in base64": spoken(f"What does {BASE64} tell you?"),
    "leak in hex": spoken(f"What does {SECRET.encode().hex()} tell you?"),
    "leak in rot13": spoken(f"What does {codecs.encode(SECRET, 'rot13')} tell you?"),
    "leak reversed": spoken(f"What does {SECRET[::-1]} tell you?"),
    "leak spelled": spoken(f"What does {' '.join('Quorvane')} tell you?"),
    "leak by zero width": spoken("What does Quor\u200bvane tell you?"),
    "leak line by line": spoken("What about\n" + "\n".join("Priscilla") + "\n?"),
    "leak in lower case": spoken("how did bluefin and zentrix come into it?"),
    "leak of an amount": spoken("What did 184,500 mean to you?"),
    "the system prompt": lambda rng: lambda ask: {**good()(ask), "if_probe": ask.messages[0]["content"][:300], "if_advance": ask.messages[0]["content"][300:550]},
    "the background block": lambda rng: lambda ask: {**good()(ask), "if_probe": ask.messages[1]["content"], "if_advance": ask.messages[1]["content"][-200:]},
    "two questions": spoken("What happened next? Who was there?"),
    "leading": spoken("It was too expensive, right?"),
    "either/or": spoken("Was it the price or the features?"),
    "praise": spoken("Great answer! What else came up?"),
    "selling": spoken("Acme now offers that at a discount. What would you pay?"),
    "verbatim repeat": lambda rng: lambda ask: {**good()(ask), **dict.fromkeys(("if_probe", "if_advance"), re.findall(r"^- (.*)$", ask.messages[2]["content"], re.MULTILINE)[-1])},
    "the same always": spoken("Tell me about one situation that comes to mind."),
    "every topic at once": lambda rng: worded(rng.choice([m for w in LOST.packs["en"].topics.values() for m in w.main if "{" not in m])),
    "another language": spoken("Was hat am Ende den Ausschlag gegeben?"),
    "speaks for them": spoken("As the buyer, I chose Globex because of the price. What next?"),
    "an essay": spoken("What happened " + "and so it went on and on " * 160 + "?"),
    "html": spoken("<script>alert(1)</script> What <b>happened</b>? See https://evil.example"),
    "invents": spoken("What did Contoso and Bob say in 2019?"),
    "always vague": lambda rng: always(quality=0, slots=[]),
    "always fine": lambda rng: always(quality=2),
    "claims everything": lambda rng: lambda ask: {**good()(ask), "quality": 2, "slots": [{"id": f"{t.id}.{s.id}", "quote": "as you can see"} for t in LOST.topics for s in t.slots]},
    "claims everything with a quote": lambda rng: lambda ask: {**good()(ask), "quality": 2, "slots": [{"id": f"{t.id}.{s.id}", "quote": ask.answer.text} for g in GUIDES for t in g.topics for s in t.slots]},
    "every flag": lambda rng: always(flags=list(verdict.FLAGS), quality=0),
    **{f"always {flag}": partial(crying, flag) for flag in verdict.FLAGS},
    "good and bad": lambda rng: lambda ask: good()(ask) if rng.random() < 0.7 else paige.Failure("server"),
    "anything": lambda rng: lambda ask: anything(rng, ask),
}  # fmt: skip


def anything(rng: random.Random, ask: paige.Ask) -> object:
    """A reply of any of the others, part by part."""
    if rng.random() < 0.2:
        return rng.choice([paige.Failure("timeout"), None, {}, "x"])
    texts = [
        "What then?",
        "Great! What else?",
        SECRET,
        "Tell me about the day.",
        example(ask, "if_probe"),
        example(ask, "if_advance"),
        "",
        None,
        4,
        "Was it good?",
        "How did that come about in your team?",
    ]
    quote = rng.choice([ask.answer.text, ask.answer.text[:20], "nothing of this", ""])
    return {
        "quality": rng.choice([0, 1, 2, 3, None, "x", True]),
        "slots": [{"id": f"{t.id}.{s.id}", "quote": quote} for t in LOST.topics for s in t.slots if rng.random() < 0.3],
        "flags": [flag for flag in verdict.FLAGS if rng.random() < 0.15],
        "lang": rng.choice(["en", "de", None, 5]),
        "if_probe": rng.choice(texts),
        "if_advance": rng.choice(texts),
    }


PRIVATE = ("canary", "quorvane", "bluefin", "priscilla", "tadeusz", "wiśniewski", "zentrix", "184500", "184,500", "hieronymus", "blackwood", "vantongeren", "7f3a91")  # fmt: skip


def runs(text: str) -> set[tuple[str, ...]]:
    found = words(text)
    return {tuple(found[i : i + 5]) for i in range(len(found) - 4)}


PRIVATE_RUNS = runs(NOTES) | runs(OBJECTIVE) | runs(json.dumps(DEAL))


def check(talk: ModelTalk) -> None:
    state, guide = talk.state, talk.guide
    assert len(talk.said) == state.turns <= 24
    assert state.questions <= 20
    assert state.probes <= 6
    assert max(talk.calls) <= 2
    left_out = {target for topic in guide.topics for branch in topic.branch for target in branch.skip}
    for standing in state.topics:
        topic = guide.topic(standing.id)
        assert standing.probes <= (3 if topic.driver else 2)
        if topic.must_have and not (topic.id in left_out and standing.status == "skipped"):
            assert standing.asked, f"{topic.id} was never asked"
            assert standing.status not in ("open", "out_of_budget", "skipped") or talk.state.distress
    for evidence in state.evidence:
        assert talk.heard[evidence.answer][evidence.start : evidence.end] == evidence.text
    for earlier, later in itertools.combinations(state.asked, 2):
        assert not wording.repeats(later, [earlier])
    for said in talk.said:
        mine = own_words(said)
        assert mine.count("?") <= 1, said
        assert not re.search(r"[<>{}]|https?:", mine), said
    for number, (said, origin) in enumerate(zip(talk.said, talk.origins, strict=True)):
        if origin == "model" and number:
            assert len(said.split()) <= guard.MAX_WORDS, said
    told = "\n".join(
        [*talk.said, json.dumps(state.to_json(), ensure_ascii=False), json.dumps([dict(e.data) for e in talk.events])]
    )
    assert not [secret for secret in PRIVATE if secret in told.casefold()]
    assert not runs("\n".join(talk.said)) & PRIVATE_RUNS
    assert state.ended_by == "finished"


def mixed(rng: random.Random):
    """Somebody who tells the story, or something vague, or nods; never one who leaves."""

    def answer(talk: Talk) -> tuple[str, str]:
        if talk.state.expects == "text" and rng.random() < 0.4:
            return "answer", rng.choice(
                [
                    "It was a good fit",
                    "The price was too high for us",
                    "Better features I guess",
                    "It took three weeks in May",
                    "yes it was the team, and how they worked with us",
                ]
            )
        if talk.state.pending.kind == "confirm_stop":
            return "answer", rng.choice(["no", "go on", "not yet"])
        return cooperative(talk)

    return answer


@pytest.mark.parametrize("fault", HOSTILE)
@pytest.mark.parametrize("mode", ["direct", "planned"])
def test_no_model_can_spoil_an_interview(fault, mode):
    for seed in range(4):
        rng = random.Random(f"{fault}{seed}")
        guide = GUIDES[seed % len(GUIDES)]
        given = context(mode=mode, **BACKGROUND)
        talk = ModelTalk(guide, given, seed, model=HOSTILE[fault](rng))
        talk.run(
            mixed(rng)
            if seed > 1
            else lambda t: ("answer", "no, go on") if t.state.pending.kind == "confirm_stop" else cooperative(t)
        )
        check(talk)


@pytest.mark.parametrize("block", range(4))
def test_random_models_and_random_contacts(block):
    for seed in range(block * 25, block * 25 + 25):
        rng = random.Random(seed)
        fault = rng.choice(list(HOSTILE))
        talk = ModelTalk(GUIDES[seed % 2], context(mode="direct", **BACKGROUND), seed, model=HOSTILE[fault](rng))
        talk.run(mixed(rng))
        check(talk)


def test_a_good_model_words_most_of_the_questions():
    for guide in GUIDES:
        talk = ModelTalk(guide, context(mode="direct", **BACKGROUND), model=good(3)).run(cooperative)
        check(talk)
        asked = [
            origin
            for origin, pending in zip(talk.origins, talk.pendings, strict=False)
            if pending.split(":")[0] in ("main", "probe")
        ]
        assert asked.count("model") > len(asked) / 2
        assert not [e for e in talk.events if e.kind == "guard"]


def test_a_german_interview_with_the_worst_of_models_ends_well():
    for fault in ("every flag", "always vague", "anything", "leak", "another language", "always tangent"):
        rng = random.Random(fault)
        talk = ModelTalk(TINY, context(mode="direct", language="de", **BACKGROUND), 3, model=HOSTILE[fault](rng))
        told = telling("de")
        talk.run(lambda t, told=told: ("answer", "nein, weiter") if t.state.pending.kind == "confirm_stop" else told(t))
        check(talk)
