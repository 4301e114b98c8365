"""The speaking half of a turn: keeps the state, the events and the lead, and words what is said."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from afterword.paige import judge, languages, wording
from afterword.paige.guide import Guide, Topic, TopicWording
from afterword.paige.languages.spoken import spoken
from afterword.paige.plan import weights
from afterword.paige.state import Context, Event, Pending, State, Step, TopicState, TopicStatus

# Every interview ends within this many interviewer messages, everything counted.
MAX_TURNS = 24
# The message with this number is the read-back at the latest; two are left for the form and the thanks.
RECAP_AT = 22
# Neutral acknowledgements in well under 60 % of messages; more sounds like a machine.
_ACK_PERCENT = 40
# The short form: what is promised, and how many topics it has at least.
SHORT_MINUTES = 3
_SHORT_TOPICS = 3
_SUPPORT_CHARS = 600
_ACKNOWLEDGED = ("main", "probe", "slot", "branch", "scale")


def promised_minutes(guide: Guide, state: State) -> int:
    """The length that was promised."""
    return min(guide.minutes, SHORT_MINUTES) if state.short else guide.minutes


class Voice:
    """A turn in the making. Moves change `state`, collect `events` and `lead`, and end in a Step."""

    def __init__(self, guide: Guide, context: Context, state: State) -> None:
        self.guide = guide
        self.state = state
        self.pack = guide.pack(state.language)
        self.weights = weights(guide, self.pack, context)
        self.support = "".join(c for c in context.support[:_SUPPORT_CHARS] if c.isprintable() or c == "\n").strip()
        self.events: list[Event] = []
        self.lead: list[str] = []
        # The languages in which the message at hand is read and scored; where it has no pack, they differ.
        self.reads = self.scores = state.language
        self.pressing = True  # False where they have said that there is no more to tell, or that they may not
        self._context, self._said = context, context.said()
        self.vendor = self._said["vendor"]

    def set(self, **changes: Any) -> None:
        """Change the state."""
        self.state = replace(self.state, **changes)

    def set_topic(self, topic_id: str, **changes: Any) -> None:
        """Change one topic's standing."""
        self.set(topics=tuple(replace(t, **changes) if t.id == topic_id else t for t in self.state.topics))

    def emit(self, kind: str, **data: object) -> None:
        """Note something for the host."""
        self.events.append(Event(kind, data))

    def follow(self, text: str) -> None:
        """Go on in the language of a message that is long enough to tell; once say which languages there are."""
        found = spoken(judge.fold(text))
        if not found or found == self.state.language.partition("-")[0]:
            return
        self.scores = found
        self.reads = found if found in languages.PACKS else self.state.language
        if code := next((code for code in self.guide.packs if code.partition("-")[0] == found), ""):
            self.speak(code)
        elif not self.state.languages_told:
            self.set(languages_told=True)
            self.lead.append(self.phrase("languages" if len(self.guide.packs) > 1 else "only_language"))

    def speak(self, code: str) -> None:
        """From here on in another language of the guide's."""
        self.set(language=code)
        self.pack = self.guide.pack(code)
        self.weights = weights(self.guide, self.pack, self._context)
        if self.state.pending.kind == "scale":
            self.set(choices=self.words.slot(self.state.pending.key).choices)
        self.emit("language", to=code)

    def keep_essentials(self) -> None:
        """Leave out what the short form does not ask: all but the must-haves of priority 1, three topics at least."""
        ranked = sorted(self.guide.topics, key=lambda topic: (topic.priority, not topic.must_have, topic.order_group))
        essential = [topic.id for topic in ranked if topic.must_have and topic.priority == 1]
        kept = essential if len(essential) >= _SHORT_TOPICS else [topic.id for topic in ranked[:_SHORT_TOPICS]]
        for topic in self.guide.topics:
            if topic.id not in kept:
                self.set_topic(topic.id, status="out_of_budget")

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
        values = {**self._said, "minutes": str(promised_minutes(self.guide, self.state))}
        values["languages"] = ", ".join(languages.language(code).name for code in self.guide.packs)
        if not self._context.reader.strip():
            values["reader"] = wording.fill(self.pack.phrases["reader"][0], values)
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
