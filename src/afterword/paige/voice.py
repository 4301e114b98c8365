"""The speaking half of a turn: keeps the state, the events and the lead, and words what is said."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from afterword.paige import wording
from afterword.paige.guide import Guide, Topic, TopicWording
from afterword.paige.plan import weights
from afterword.paige.state import Context, Event, Pending, State, Step, TopicState, TopicStatus

# Every interview ends within this many interviewer messages, everything counted.
MAX_TURNS = 24
# The message with this number is the read-back at the latest; two are left for the form and the thanks.
RECAP_AT = 22
# Neutral acknowledgements in well under 60 % of messages; more sounds like a machine.
_ACK_PERCENT = 40
_ACKNOWLEDGED = ("main", "probe", "slot", "branch", "scale")


class Voice:
    """A turn in the making. Moves change `state`, collect `events` and `lead`, and end in a Step."""

    def __init__(self, guide: Guide, context: Context, state: State) -> None:
        self.guide = guide
        self.state = state
        self.pack = guide.pack(state.language)
        self.weights = weights(guide, self.pack, context)
        self.vendor = context.said()["vendor"]
        self.events: list[Event] = []
        self.lead: list[str] = []
        self._said = {**context.said(), "minutes": str(guide.minutes)}

    def set(self, **changes: Any) -> None:
        """Change the state."""
        self.state = replace(self.state, **changes)

    def set_topic(self, topic_id: str, **changes: Any) -> None:
        """Change one topic's standing."""
        self.set(topics=tuple(replace(t, **changes) if t.id == topic_id else t for t in self.state.topics))

    def emit(self, kind: str, **data: object) -> None:
        """Note something for the host."""
        self.events.append(Event(kind, data))

    def flag(self, reason: str) -> None:
        """Note something that a person should look at; `answer` is the number of the contact's message."""
        self.emit("flag", reason=reason, answer=self.state.heard - 1)

    @property
    def topic(self) -> Topic:
        """The topic of the pending question. Raises KeyError when it has none."""
        return self.guide.topic(self.state.pending.topic)

    @property
    def words(self) -> TopicWording:
        """The wording of that topic."""
        return self.pack.topics[self.state.pending.topic]

    @property
    def standing(self) -> TopicState:
        """The standing of that topic."""
        return self.state.topic(self.state.pending.topic)

    def open_topics(self, *, must_have: bool = False) -> list[Topic]:
        """Topics not closed yet, in the guide's order."""
        return [
            topic
            for topic in self.guide.topics
            if self.state.topic(topic.id).status == "open" and (topic.must_have or not must_have)
        ]

    def questions_left(self) -> int:
        """How many more questions fit before the read-back."""
        return min(self.guide.max_questions - self.state.questions, RECAP_AT - 1 - self.state.turns)

    def close_topic(self, topic_id: str, status: TopicStatus) -> None:
        """Close a topic for good; nothing of it is asked again."""
        if self.state.topic(topic_id).status == "open":
            self.set_topic(topic_id, status=status)
            self.emit("topic_closed", topic=topic_id, status=status)

    def phrase(self, name: str) -> str:
        """One of the phrases said between questions, filled."""
        return wording.rotate(self.state.seed, name, self.pack.phrases[name], self.values(), self.state.turns)

    def faq(self, entry: str) -> str:
        """The answer to a question about the interview; what is not known here is noted for a person."""
        texts = self.pack.faq.get(entry) or self.pack.faq["for_a_person"]
        return wording.rotate(self.state.seed, f"faq:{entry}", texts, self.values(), self.state.turns)

    def values(self, their_words: str = "") -> dict[str, str]:
        """What may stand in a wording now."""
        values = dict(self._said)
        if self.state.competitor:
            values["competitor"] = self.state.competitor
        if self.state.scales:
            values["score"] = self.state.scales[0][1]
        if their_words:
            values["their_words"] = their_words
        return values

    def word(self, key: str, texts: Sequence[str], their_words: str = "") -> str | None:
        """A wording not used before, filled; None when there is none left."""
        return wording.choose(self.state.seed, key, texts, self.values(their_words), self.state.asked)

    def ask(self, pending: Pending, question: str, *, new: bool = True, acknowledge: bool = True) -> Step:
        """Put a question, after the lead if there is one. A rewording (`new` false) does not count as one more."""
        slot = self.pack.topics[pending.topic].slot(pending.key) if pending.kind == "scale" else None
        self.set(
            pending=pending,
            choices=slot.choices if slot else (),
            questions=self.state.questions + new,
            asked=(*self.state.asked, question),
        )
        fits = new and pending.kind in _ACKNOWLEDGED and self.state.turns and not self.lead
        if acknowledge and fits and wording.chance(self.state.seed, f"ack:{self.state.turns}", _ACK_PERCENT):
            self.lead.append(self.phrase("acks"))
        return self.say(question)

    def say(self, *parts: str) -> Step:
        """The lead and these parts as one message, and the turn is over."""
        text = " ".join(part for part in (*self.lead, *parts) if part)
        self.set(turns=self.state.turns + bool(text))
        return Step(self.state, text, tuple(self.events))

    def silent(self) -> Step:
        """Nothing new is said; what was asked still stands."""
        return Step(self.state, "", tuple(self.events))
