"""The interview as a state machine: who asks what next, when to dig deeper, when to stop. Rules only, no model.

OPENING → topics in order, each with probes → CATCH_ALL → RECAP → EXPERIENCE → DONE; PAUSED and STOPPED from anywhere.
"""

import json
import math
from collections.abc import Mapping
from typing import Any, cast

from afterword.paige import judge
from afterword.paige.guide import Guide
from afterword.paige.state import Answer, Ask, Context, Progress, State, Step, TopicState
from afterword.paige.talk import Talk

ACTIONS = ("answer", "skip", "stop", "undo", "pause", "resume", "confirm", "correct", "go_on")
# The text of the others, such as a half-typed answer sent along with a skip, is not read.
_WITH_TEXT = ("answer", "confirm", "correct", "go_on")


def open(guide: Guide, context: Context, seed: bytes | int) -> Step:  # noqa: A001  # the hand-shake's name
    """The opening message with the first question in it. The same seed gives the same interview."""
    pack = guide.pack(context.language)
    state = State(
        seed=seed.hex() if isinstance(seed, bytes) else f"{seed:x}",
        language=pack.language,
        topics=tuple(TopicState(topic.id) for topic in guide.topics),
    )
    return Talk(guide, context, state).begin()


def hear(guide: Guide, context: Context, state: State, answer: Answer) -> Step | Ask:  # noqa: PLR0911, PLR0912  # one case, one move
    """What follows an answer. Once the interview has ended nothing follows: the same state and an empty `say`."""
    if answer.action not in ACTIONS:
        raise ValueError(f"action {answer.action!r} is not one of {', '.join(ACTIONS)}")
    talk = Talk(guide, context, state)
    text = answer.text.strip() if answer.action in _WITH_TEXT else ""
    if text and state.phase not in ("done", "stopped"):
        talk.set(heard=state.heard + 1)
    match state.phase, answer.action:
        case "done", _:
            return Step(state, "")
        case "stopped", "undo" if state.can_undo:
            return talk.undo()
        case "stopped", _:
            return Step(state, "")
        case _, "stop":
            return talk.stop()
        case _, "undo":
            return Step(state, "")
        case "experience", "pause" | "resume":
            return Step(state, "")
        case "experience", _:
            return talk.finish_experience(_experience(text))
        case "paused", "pause":
            return Step(state, "")
        case _, "pause":
            return talk.pause()
        case _, "resume":
            return talk.resume()
        case _:
            talk.wake()
            if talk.state.phase == "recap":
                return _hear_recap(talk, answer.action, text)
            return _hear_answer(talk, answer.action, text, answer.text)


def decide(guide: Guide, context: Context, state: State, ask: Ask, reply_or_failure: object) -> Step | Ask:
    """What follows a model's reply. The script needs none, so whatever came back, the rules answer this turn."""
    del reply_or_failure
    return hear(guide, context, state, ask.answer)


def progress(guide: Guide, state: State) -> Progress:
    """Topics done of topics to come, the current part's label, and about how many minutes are left."""
    pack = guide.pack(state.language)
    # What a branch left out was never a part of this interview.
    counted = [topic for topic in state.topics if topic.asked or topic.status != "skipped"]
    done = sum(topic.status != "open" for topic in counted)
    ahead = [t for t in state.topics if t.status == "open" and (not state.fast or guide.topic(t.id).must_have)]
    total = done + len(ahead)
    phase = state.held if state.phase in ("paused", "stopped") else state.phase
    if phase != "asking":
        label = pack.phrases["label_recap" if phase == "recap" else "label_done"][0]
        return Progress(total, total, label, 1 if phase == "recap" else 0)
    here = state.pending.topic
    label = pack.topics[here].label if here else pack.phrases["label_catch_all"][0]
    left = math.ceil(guide.minutes * (len(ahead) + 1) / (len(counted) + 1))
    return Progress(done, total, label, max(1, left))


def _hear_answer(talk: Talk, action: str, text: str, raw: str) -> Step:  # noqa: PLR0911, PLR0912  # one case, one move
    """A message while questions are being asked."""
    if action == "skip" or not text:
        return talk.skip()
    if text in talk.state.choices:
        return talk.take_answer(raw)
    reading = judge.read(text)
    if reading.opt_out and reading.kind != "opt_out":
        talk.note_opt_out()
    kind = talk.state.pending.kind
    match reading.kind:
        case "stop":
            return talk.stop()
        case "delete":
            return talk.stop("delete")
        case "opt_out":
            return talk.stop("opt_out")
        case "distress":
            return talk.distress()
        case "abuse":
            return talk.abuse()
        case "question":
            return talk.answer_question(reading.about)
        case _ if kind == "hold":
            return talk.advance()
        case _ if kind == "referral":
            return talk.take_referral()
        case _ if kind == "catch_all":
            return talk.take_last(raw)
        case "hurry":
            return talk.hurry()
        case "clarify":
            return talk.clarify()
        case "off_topic":
            return talk.redirect()
        case "refusal":
            return talk.refused()
        case "dont_know":
            return talk.dont_know()
        case "not_me":
            return talk.not_me(wholly=bool(reading.about))
        case "answer":
            talk.answer_besides(reading.about)
            return talk.take_answer(raw)


def _hear_recap(talk: Talk, action: str, text: str) -> Step:  # noqa: PLR0911  # one case, one move
    """A reply to the read-back: as it is, or something to change. Both complete the interview."""
    if action in ("confirm", "skip", "go_on") or not text or (action == "answer" and judge.affirms(text)):
        return talk.complete()
    if action == "correct":
        return talk.complete(corrected=True)
    reading = judge.read(text)
    if reading.opt_out and reading.kind != "opt_out":
        talk.note_opt_out()
    match reading.kind:
        case "stop":
            return talk.stop()
        case "delete":
            return talk.stop("delete")
        case "opt_out":
            return talk.stop("opt_out")
        case "distress" | "abuse":
            return talk.end_safely(reading.kind)
        case "question" if talk.can_speak_in_recap():
            return talk.answer_in_recap(reading.about)
        case "refusal" | "dont_know":
            return talk.complete()
        case _:
            return talk.complete(corrected=True)


# The three items of the closing form: name → what counts as an answer.
_SCALE_ITEMS = ("satisfaction", "captured")
_SCALE_TOP = 7


def _experience(text: str) -> dict[str, object]:
    """The usable part of the experience form; empty when it was left blank or is not what the page sends."""
    try:
        loaded: Any = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        return {}
    if not isinstance(loaded, dict):
        return {}
    given = cast("Mapping[str, object]", loaded)
    found: dict[str, object] = {}
    for name in _SCALE_ITEMS:
        value = given.get(name)
        number = (
            int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) == 1 else value
        )
        if isinstance(number, int) and not isinstance(number, bool) and 1 <= number <= _SCALE_TOP:
            found[name] = number
    recommend = given.get("recommend")
    if isinstance(recommend, bool):
        found["recommend"] = recommend
    elif recommend in ("yes", "no"):
        found["recommend"] = recommend == "yes"
    return found
