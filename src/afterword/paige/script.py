"""The interview as a state machine: who asks what next, when to dig deeper, when to stop.

The rules lead. A model, where there is one, judges answers and words questions; what it may not do, no code here lets
it: end the interview, skip a topic, change the order, pass the caps.

OPENING → topics in order, each with probes → CATCH_ALL → RECAP → EXPERIENCE → DONE; PAUSED and STOPPED from anywhere.
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, cast

from afterword.paige import judge, prompt, verdict
from afterword.paige.candidates import Candidates, scene_of
from afterword.paige.guide import Guide
from afterword.paige.state import Answer, Ask, Context, Event, Failure, Progress, State, Step, TopicState
from afterword.paige.talk import Talk
from afterword.paige.voice import promised_minutes

ACTIONS = (
    "answer",
    "skip",
    "stop",
    "undo",
    "pause",
    "resume",
    "confirm",
    "correct",
    "go_on",
    "wrong_person",
    "language",
)
# The text of the others, such as a half-typed answer sent along with a skip, is not read.
_WITH_TEXT = ("answer", "confirm", "correct", "go_on", "wrong_person")


def open(guide: Guide, context: Context, seed: bytes | int, *, short: bool = False) -> Step:  # noqa: A001  # the hand-shake's name
    """The opening message with the first question in it. The same seed gives the same interview; `short` is the form
    of two or three minutes."""
    pack = guide.pack(context.language)
    state = State(
        seed=seed.hex() if isinstance(seed, bytes) else f"{seed:x}",
        language=pack.language,
        topics=tuple(TopicState(topic.id) for topic in guide.topics),
        short=short,
    )
    return Talk(guide, context, state).begin()


def hear(guide: Guide, context: Context, state: State, answer: Answer) -> Step | Ask:
    """What follows an answer. Once the interview has ended nothing follows: the same state and an empty `say`.

    An Ask comes only where the context's mode has a model, and only for an answer to a topic's question; whatever the
    contact may start at any time is answered by rules.
    """
    if answer.action not in ACTIONS:
        raise ValueError(f"action {answer.action!r} is not one of {', '.join(ACTIONS)}")
    talk = _talk(guide, context, state)
    found = _hear(talk, answer, asks=context.mode != "script")
    return found or prompt.turn(guide, context, talk.state, answer, _ahead(talk, context, answer))


def decide(guide: Guide, context: Context, state: State, ask: Ask, reply: object) -> Step | Ask:
    """What follows a model's reply (a mapping) or a Failure. A second Ask is the one regeneration.

    The judgement is that of the first reply; a second one only brings other words. Where nothing usable came, the
    script takes the turn.
    """
    if context.mode == "script":
        return hear(guide, context, state, ask.answer)
    events = [Event("guard", {"rule": ask.blocked, "attempt": 1})] if ask.blocked else []
    said = verdict.read_reply(guide, ask.answer.text, ask.judged or reply)
    worded = verdict.read_reply(guide, ask.answer.text, reply)
    failed = reply.reason if isinstance(reply, Failure) else "" if worded else "malformed"
    # Up to where the model was asked, to see what it was asked about.
    before = _talk(guide, context, state)
    if settled := _hear(before, ask.answer, asks=True):
        return settled
    talk = _talk(guide, context, state)
    if said:
        talk.candidates = Candidates(
            said,
            _ahead(before, context, ask.answer),
            guide,
            scene_of(guide, context, before.state, ask.answer.text),
            worded.if_probe if worded else "",
            worded.if_advance if worded else "",
            worded=not failed,
        )
    step = _hear(talk, ask.answer, asks=False)
    assert step is not None
    rules = talk.candidates.rules if talk.candidates else []
    wanted = talk.candidates.wanted if talk.candidates else ""
    if wanted and ask.attempt == 1:
        ahead = _ahead(before, context, ask.answer)
        again = prompt.turn(guide, context, before.state, ask.answer, ahead, reason=wanted)
        return replace(again, attempt=2, blocked=wanted, judged=cast("Mapping[str, object]", reply))
    events += [Event("guard", {"rule": rule, "attempt": ask.attempt}) for rule in rules]
    if talk.candidates and talk.candidates.shown:
        origin = "model"
        if talk.candidates.left_out:
            events.append(Event("left_out", {"rule": talk.candidates.left_out, "attempt": ask.attempt}))
    else:
        origin = f"fallback:{failed or wanted}" if failed or wanted else "script"
    return replace(step, events=(*events, *step.events), origin=origin)


def _talk(guide: Guide, context: Context, state: State) -> Talk:
    talk = Talk(guide, context, state)
    talk.extra = context.plan.extra if context.plan else None
    return talk


def _ahead(talk: Talk, context: Context, answer: Answer) -> prompt.Next:
    """What code would ask after the answer that `talk` stands before, found on a turn that is thrown away."""
    trial = _talk(talk.guide, context, talk.state)
    trial.reads, trial.scores, trial.pressing = talk.reads, talk.scores, talk.pressing
    return trial.ahead(answer.text)


def _hear(talk: Talk, answer: Answer, *, asks: bool) -> Step | None:  # noqa: PLR0911, PLR0912  # one case, one move
    """What follows an answer by rules and by what `talk` has of a model's; None where a model is to be asked first."""
    state = talk.state
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
        case _, "language":
            return talk.change_language(answer.text.strip())
        case "experience", "pause" | "resume" | "wrong_person":
            return talk.silent()
        case "experience", _:
            return talk.finish_experience(_experience(text))
        case "paused", "pause":
            return Step(state, "")
        case _, "pause":
            return talk.pause()
        case _, "resume":
            return talk.resume()
        case _, "wrong_person":
            return talk.wrong_person(text)
        case _:
            talk.wake()
            talk.follow(text)
            if talk.state.phase == "recap":
                return _hear_recap(talk, answer.action, text)
            return _hear_answer(talk, answer.action, text, answer.text, asks=asks)


def progress(guide: Guide, state: State) -> Progress:
    """Topics done of topics to come, the current part's label, and about how many minutes are left."""
    pack = guide.pack(state.language)
    counted = [topic for topic in state.topics if topic.asked or not _left_out(state, topic)]
    done = sum(topic.status != "open" for topic in counted)
    ahead = [t for t in state.topics if t.status == "open" and (not state.fast or guide.topic(t.id).must_have)]
    total = done + len(ahead)
    phase = state.held if state.phase in ("paused", "stopped") else state.phase
    if phase != "asking":
        label = pack.phrases["label_recap" if phase == "recap" else "label_done"][0]
        return Progress(total, total, label, 1 if phase == "recap" else 0)
    here = state.pending.topic
    label = pack.topics[here].label if here else pack.phrases["label_catch_all"][0]
    left = math.ceil(promised_minutes(guide, state) * (len(ahead) + 1) / (len(counted) + 1))
    return Progress(done, total, label, max(1, left))


def _left_out(state: State, topic: TopicState) -> bool:
    """Whether a branch or the short form left a topic out, so that it was never a part of this interview."""
    return topic.status == "skipped" or (state.short and topic.status == "out_of_budget")


def _hear_answer(  # noqa: PLR0911, PLR0912  # one case, one move
    talk: Talk, action: str, text: str, raw: str, *, asks: bool
) -> Step | None:
    """A message while questions are being asked; None where a model is to judge it first."""
    confirming = talk.state.pending.kind == "confirm_stop"
    if confirming:
        if _YES.match(judge.fold(text)):
            return talk.stop()
        talk.set(pending=talk.state.before)
        if action == "skip" or not text:
            return talk.go_on()
    if action == "skip" or not text:
        return talk.skip()
    if text in talk.state.choices:
        return talk.take_answer(raw)
    reading = judge.read(text, talk.reads)
    talk.pressing = not reading.no_more
    if reading.opt_out and reading.kind != "opt_out":
        talk.note_opt_out()
    if reading.injection:
        talk.flag("injection")
    if reading.hurried and reading.kind == "answer":
        talk.note_hurry()
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
        case _ if confirming and (reading.kind != "answer" or len(text.split()) < _TELLING_WORDS):
            return talk.go_on()
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
            if asks and kind in _JUDGED and not talk.state.fast:
                return None
            if raised := _raised(talk, raw, asks_besides=bool(reading.about)):
                return raised
            talk.answer_besides(reading.about)
            return talk.take_answer(raw)


# What a model is asked about: answers to questions of a topic. A scale is read by rules.
_JUDGED = ("main", "probe", "slot", "branch")
# A reply to "shall we stop here?" of so many words tells something, and is taken as the answer to the question before.
_TELLING_WORDS = 8
_YES = re.compile(
    r"(?:well,? |oh,? |i think )?"
    r"(?:yes|yep|yeah|yup|sure|ok|okay|please|let's|we can|ja|jawohl|gerne?|bitte|oui|s[ií]|sim)\b"
    r"(?!.*\b(?:but|go on|continue|keep going|not|no|don't|aber|weiter|nicht|nein)\b)(?:\W+\w+){0,5}\W*$"
)


def _raised(talk: Talk, raw: str, *, asks_besides: bool) -> Step | None:
    """The move for what a model saw in a message that the rules read as an answer; None to take it as one.

    A model raises and never ends: "stop" becomes a question, distress and abuse only their first, mild step, and in
    all it gets its way so seldom that a model that cries wolf cannot starve an interview.
    """
    if talk.candidates is None:
        return None
    said, state = talk.candidates.verdict, talk.state
    if "contradiction" in said.flags:
        talk.flag("contradiction")
    spare = talk.spare_questions()
    if state.raised >= _RAISED or spare < 1:
        return None
    # What tells something is an answer, whatever else a model sees in it; so is everything when time is short.
    tells = (
        spare < _RAISED
        or said.credited(state.pending.topic)
        or judge.quality(raw, talk.scores).score >= judge.PROBE_BELOW
    )
    moves: tuple[tuple[str, bool, Callable[[], Step]], ...] = (
        ("distress", not state.distress, talk.distress),
        ("abuse", not state.abuse, talk.abuse),
        ("stop", "confirm_stop" in talk.pack.phrases, lambda: talk.confirm_stop(raw)),
        ("question", not tells, lambda: talk.answer_question("for_a_person")),
        ("refusal", not tells, talk.refused),
        ("dont_know", not tells, talk.dont_know),
        ("clarify", not tells, talk.clarify),
        ("off_topic", not tells, talk.redirect),
    )
    for flag, possible, move in moves:
        if flag in said.flags and possible:
            talk.set(raised=state.raised + 1)
            return move()
    if "question" in said.flags and not asks_besides:
        talk.set(raised=state.raised + 1)
        talk.answer_besides("for_a_person")
    return None


# So often in one interview; what is not urgent only with as many questions to spare beside those that must be asked.
_RAISED = 2


def _hear_recap(talk: Talk, action: str, text: str) -> Step:  # noqa: PLR0911  # one case, one move
    """A reply to the read-back: as it is, or something to change. Both complete the interview."""
    if action in ("confirm", "skip", "go_on") or not text or (action == "answer" and judge.affirms(text, talk.reads)):
        return talk.complete()
    if action == "correct":
        return talk.complete(corrected=True)
    reading = judge.read(text, talk.reads)
    if reading.injection:
        talk.flag("injection")
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
