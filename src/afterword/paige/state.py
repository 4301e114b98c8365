"""The interviewer's plain data: what goes in, what comes out, and what is remembered between two turns."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

Phase = Literal["asking", "recap", "experience", "done", "stopped", "paused"]
Expects = Literal["text", "scale", "recap", "experience", "nothing"]
EndedBy = Literal["finished", "stopped", "safety"]
TopicStatus = Literal["open", "answered", "thin", "dont_know", "refused", "skipped", "unclear", "out_of_budget"]

# How a turn is worded and judged: by rules alone, by a model that reads notes, objective and deal, or by one that
# reads only what the planner made of them. The host decides it for each turn.
Mode = Literal["script", "direct", "planned"]

STATE_SCHEMA = 1
# The best score of a topic before any answer; every real score is above it.
NOTHING_SAID = -1.0

# A name longer than this is not a name that one greets somebody with.
_NAME_LENGTH = 60
# The organization's own name is said whole, however long it may be.
_VENDOR_LENGTH = 200
_GREETABLE = re.compile(r"[^\W\d_][^\W\d_'’.\- ]*(?:[ '’.\-]+[^\W\d_]+)*\.?")
_UNSAYABLE = re.compile(r"[<>{}\[\]*`|\\]|://|www\.")
_HONORIFICS = frozenset({"mr", "mrs", "ms", "miss", "mx", "dr", "prof", "herr", "frau", "sir", "madam"})


@dataclass(frozen=True, slots=True)
class Context:
    """What an interview may use. `notes`, `objective` and `deal` are private: they weigh topics and are never said."""

    interviewer_name: str
    vendor: str
    contact_name: str | None
    first_name: str | None
    company: str | None
    notes: str
    objective: str
    deal: Mapping[str, object]
    language: str = "en"
    reader: str = ""
    support: str = ""  # what a contact in distress is told beside our own words
    history: tuple["Line", ...] = ()  # what was said before the answer at hand, in order
    mode: Mode = "script"
    plan: "Plan | None" = None  # the planner's, in `planned`; without one the keyword planner's weights hold

    def said(self) -> dict[str, str]:
        """What may be said aloud, by placeholder; what is missing or unfit to be said is absent."""
        vendor = _plain(_UNSAYABLE.sub(" ", self.vendor), _VENDOR_LENGTH) or "the vendor"
        given = {
            "vendor": vendor,
            "interviewer": _plain(self.interviewer_name) or "Paige",
            "reader": _plain(self.reader, 120) or f"{vendor}'s product and sales teams",
        }
        if first_name := self._greeting_name():
            given["first_name"] = first_name
        if company := _plain(self.company or ""):
            given["company"] = company
        return given

    def _greeting_name(self) -> str:
        if name := _plain(self.first_name or ""):
            return name if _GREETABLE.fullmatch(name) else ""
        whole = _plain(self.contact_name or "")
        family, comma, given = whole.partition(",")
        words = (given if comma else family).split()
        if words and words[0].rstrip(".").lower() in _HONORIFICS:
            # "Dr Okafor" has no first name to use.
            words = words[1:] if len(words) > 2 else []
        return words[0] if words and _GREETABLE.fullmatch(words[0]) else ""


@dataclass(frozen=True, slots=True)
class Line:
    """One message of the conversation so far. `role` is `interviewer` or `contact`."""

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What the planner made of the background: topic id → weight 0 to 9, and at most one (topic, slot) more."""

    weights: Mapping[str, int]
    extra: tuple[str, str] | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain data; `from_json` of it equals this."""
        return {"weights": dict(self.weights), "extra": list(self.extra) if self.extra else None}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Plan":
        """The plan that `to_json` gave."""
        return cls(dict(data["weights"]), tuple(data["extra"]) if data.get("extra") else None)


@dataclass(frozen=True, slots=True)
class Answer:
    """One thing the contact did. `action` is answer, skip, stop, undo, pause, resume, confirm, correct, go_on,
    wrong_person (`text`: who or which role knows more, may be empty) or language (`text`: a pack's code)."""

    text: str = ""
    action: str = "answer"


@dataclass(frozen=True, slots=True)
class Event:
    """Something the host may act on.

    Kinds: `completed` {ended_by}, `stopped_early` {reason}, `stop_undone`, `opt_out`, `delete_request`,
    `flag` {reason, …}, `topic_closed` {topic, status}, `probe` {topic, type}, `correction`, `experience` {…},
    `language` {to}, `guard` {rule, attempt}: a model's message was not shown, `left_out` {rule, attempt}: it was shown
    without what led over to its question.
    """

    kind: str
    data: Mapping[str, object] = field(default_factory=dict[str, object])


@dataclass(frozen=True, slots=True)
class Pending:
    """What the last message asked. `kind`: main, probe, slot, branch, scale, catch_all, referral, hold, confirm_stop or
    none; a probe's `key` is its type, or `tangent`."""

    kind: str = "none"
    topic: str = ""
    key: str = ""

    @property
    def question(self) -> str:
        """The kind of question in one word: main, slot, branch, or the type of a probe."""
        return self.key if self.kind == "probe" else self.kind


@dataclass(frozen=True, slots=True)
class Evidence:
    """A slice `[start:end]` of the contact's message number `answer` (from 0), and what it speaks to. `question` is the
    kind of question it answers; empty for what was said unasked."""

    topic: str
    slot: str
    answer: int
    start: int
    end: int
    text: str
    score: float
    prompted: bool
    question: str = ""


@dataclass(frozen=True, slots=True)
class TopicState:
    """Where one topic stands. `used` are the probe types, slots and branches already asked."""

    id: str
    status: TopicStatus = "open"
    asked: int = 0
    probes: int = 0
    dont_knows: int = 0
    clarified: bool = False
    best: float = NOTHING_SAID
    used: tuple[str, ...] = ()
    met: tuple[str, ...] = ()  # of a main driver: example, comparison


@dataclass(frozen=True, slots=True)
class State:
    """All that is needed to go on after a restart. JSON-serializable; holds no private text."""

    seed: str
    language: str
    topics: tuple[TopicState, ...]
    schema: int = STATE_SCHEMA
    phase: Phase = "asking"
    held: Phase = "asking"  # the phase to return to from paused or stopped
    pending: Pending = Pending()
    choices: tuple[str, ...] = ()
    recap: tuple[str, ...] = ()
    before: Pending = Pending()  # the question to which `confirm_stop` comes back
    ended_by: EndedBy | None = None
    turns: int = 0  # interviewer messages so far
    questions: int = 0
    heard: int = 0  # messages of the contact so far: what was not blank and not a skip, stop, undo, pause or resume
    answers: int = 0  # of these, answers to a topic's question
    probes: int = 0
    low_effort: int = 0  # in a row
    last_answer: str = ""  # folded and cut, to notice the same text sent again
    short: bool = False  # the form of two or three minutes
    fast: bool = False
    announced: bool = False
    redirects: int = 0
    digressions: int = 0
    abuse: int = 0
    distress: int = 0
    undone: int = 0
    welcomed: int = 0
    tangents: int = 0  # questions about a thread of theirs that no topic has planned
    reconciled: int = 0  # contradictions asked about
    languages_told: bool = False
    raised: int = 0  # times a model took for something else what the rules read as an answer
    competitor: str = ""  # the option that won, in the contact's own words
    asked: tuple[str, ...] = ()  # questions as they were put
    evidence: tuple[Evidence, ...] = ()
    stances: tuple[Evidence, ...] = ()  # by subject and side, where a later answer may say the opposite
    scales: tuple[tuple[str, str], ...] = ()  # (topic.slot, label)

    @property
    def expects(self) -> Expects:
        """Which input the page should offer: the text box, the `choices`, the recap form, the experience form, none."""
        match self.phase:
            case "asking":
                return "scale" if self.pending.kind == "scale" else "text"
            case "recap" | "experience":
                return self.phase
            case _:
                return "nothing"

    @property
    def can_undo(self) -> bool:
        """Whether a stop can still be taken back."""
        return self.phase == "stopped" and self.ended_by == "stopped" and self.undone < 1

    def topic(self, topic_id: str) -> TopicState:
        """The topic's standing. Raises KeyError."""
        for topic in self.topics:
            if topic.id == topic_id:
                return topic
        raise KeyError(topic_id)

    def to_json(self) -> dict[str, Any]:
        """Plain lists, dicts, strings, numbers; `from_json` of it equals this."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "State":
        """The state `to_json` gave, also after a trip through jsonb. Raises ValueError for another schema."""
        if data.get("schema") != STATE_SCHEMA:
            raise ValueError(f"interview state has schema {data.get('schema')!r}, this release reads {STATE_SCHEMA}")
        values = dict(data)
        topics: list[dict[str, Any]] = data["topics"]
        values["topics"] = tuple(
            replace(TopicState(**topic), used=tuple(topic["used"]), met=tuple(topic.get("met", ()))) for topic in topics
        )
        # A newer release may have stored more; what this one does not know it does not need.
        values = {key: value for key, value in values.items() if key in cls.__dataclass_fields__}
        for name in ("pending", "before"):
            values[name] = Pending(**data.get(name, {}))
        values["evidence"] = tuple(Evidence(**item) for item in data["evidence"])
        values["stances"] = tuple(Evidence(**item) for item in data.get("stances", ()))
        values["scales"] = tuple((str(key), str(label)) for key, label in data["scales"])
        for name in ("choices", "recap", "asked"):
            values[name] = tuple(data[name])
        return cls(**values)


@dataclass(frozen=True, slots=True)
class Step:
    """What follows an answer. An empty `say` means that nothing new is said and the pending question stands.

    `origin` is `script`, `model`, or `fallback:` with the reason why the script took a model's turn.
    """

    state: State
    say: str
    events: tuple[Event, ...] = ()
    origin: str = "script"


@dataclass(frozen=True, slots=True)
class Ask:
    """A question to a language model, asked by the host outside any transaction; its reply goes to `decide`.

    `messages` are `{"role": "system" | "user", "content": …}`; the first `fixed` of them are the same in every turn of
    an interview. `attempt` 2 is the one regeneration; both attempts share `deadline`.
    """

    messages: tuple[Mapping[str, str], ...]
    schema: Mapping[str, object]
    deadline: float  # seconds
    answer: Answer
    attempt: int = 1
    fixed: int = 2
    blocked: str = ""  # of attempt 2: the rule that the first wording broke
    judged: Mapping[str, object] = field(
        default_factory=dict[str, object]
    )  # and the first reply, whose judgement stands


@dataclass(frozen=True, slots=True)
class Failure:
    """No usable reply came: `timeout`, `connection`, `rate_limited`, `server`, `malformed`, `refused`, `cut`, …"""

    reason: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far along, by topic and not by clock."""

    done: int
    total: int
    label: str
    minutes_left: int


def _plain(text: str, length: int = _NAME_LENGTH) -> str:
    """One line without control, invisible or markup characters; empty when that leaves nothing sayable."""
    visible = "".join(" " if c.isspace() else c for c in text if c.isspace() or unicodedata.category(c)[0] != "C")
    line = " ".join(visible.split())
    if len(line) > length or _UNSAYABLE.search(line):
        return ""
    return line
