"""The messages that a model worded for a turn: each may be shown only for the move it was written for, and guarded."""

from dataclasses import dataclass, field

from afterword.paige import judge
from afterword.paige.guard import MAX_WORDS, Scene, check, split_bridge, tidy
from afterword.paige.guide import Guide, Pack, TopicWording
from afterword.paige.private import private_set, sayable
from afterword.paige.prompt import Next
from afterword.paige.state import Context, State
from afterword.paige.verdict import Verdict

# What stands before a question of ours may take words from it, but not so many that nothing can be asked.
_LEAST_WORDS = 20
# Where only what leads over to a question breaks one of these, the question is shown without it.
_LEFT_OUT = ("praise", "leading")


@dataclass(frozen=True, slots=True)
class Worded:
    """A message that may be shown: what leads over, which may be empty, and the question."""

    bridge: str
    question: str


@dataclass
class Candidates:
    """A model's judgement of one answer and its two messages; what became of them is noted here."""

    verdict: Verdict
    ahead: Next
    guide: Guide
    scene: Scene
    if_probe: str = ""
    if_advance: str = ""
    worded: bool = True  # false where only the judgement is left of a turn that failed
    shown: bool = False
    wanted: str = ""  # the rule that kept the wanted message from being shown
    rules: list[str] = field(default_factory=list[str])
    left_out: str = ""  # the rule that only what led over broke

    def probe(self, state: State, topic_id: str, lead: str) -> Worded | None:
        """The message that digs deeper, where it may be shown."""
        return self._take(self.if_probe, state, topic_id, lead, wanted=True) if self.worded else None

    def advance(self, state: State, topic_id: str, lead: str) -> Worded | None:
        """The main question of a topic, where it was written for that topic and may be shown."""
        if not self.worded or topic_id != self.ahead.topic:
            return None
        return self._take(self.if_advance, state, topic_id, lead, wanted=True)

    def tangent(self, state: State, topic_id: str, lead: str) -> Worded | None:
        """The message that follows an unplanned thread; there is nothing of the guide's to take its place."""
        if not self.worded or not self.if_probe or "tangent" not in self.verdict.flags:
            return None
        return self._take(self.if_probe, state, topic_id, lead, wanted=False)

    def _take(self, text: str, state: State, topic_id: str, lead: str, *, wanted: bool) -> Worded | None:
        pack = self.guide.pack(self.scene.language)
        others = tuple(
            question
            for topic in self.guide.topics
            if topic.id != topic_id
            for question in (*pack.topics[topic.id].main, *pack.topics[topic.id].simpler)
        )
        room = max(_LEAST_WORDS, MAX_WORDS - len(lead.split()))

        def broken(said: str) -> str | None:
            early = self._too_early(said, state, topic_id, pack)
            return check(said, self.scene, others, room) or ("unaided" if early else None)

        rule = broken(text)
        bridge, question = split_bridge(tidy(text), self.scene.language)
        if rule in _LEFT_OUT and bridge and not broken(question):
            self.left_out = rule
            rule, bridge = None, ""
        if rule:
            self.rules.append(rule)
            self.wanted = rule if wanted else ""
            return None
        self.shown = True
        return Worded(bridge, question)

    def _too_early(self, text: str, state: State, topic_id: str, pack: Pack) -> bool:
        """Whether the vendor is named where the guide does not, before the guide or the contact has: what comes to mind
        unaided would no longer."""
        vendor = judge.fold(self.scene.vendor)
        if vendor not in judge.fold(text) or any(vendor in judge.fold(said) for said in self.scene.heard):
            return False
        begun = [topic.id for topic in self.guide.topics if state.topic(topic.id).asked]
        return not any("{vendor}" in _texts(pack.topics[topic]) for topic in {topic_id, *begun})


def scene_of(guide: Guide, context: Context, state: State, answer: str) -> Scene:
    """What a message is held against after this answer."""
    heard = [line.text for line in context.history if line.role == "contact"]
    if not heard:
        heard = [item.text for item in state.evidence]
    said = context.said()
    return Scene(
        language=state.language,
        vendor=said["vendor"],
        first_name=said.get("first_name", ""),
        private=private_set(context),
        may=sayable(context, (own_text(guide.pack(state.language)),), (*heard, answer)),
        heard=(*heard, answer),
        asked=state.asked,
        intents=tuple(topic.intent for topic in guide.topics),
    )


def own_text(pack: Pack) -> str:
    """Everything that the guide itself, or the interviewer between its questions, may say."""
    texts = [*pack.opening, *pack.catch_all]
    for said in (*pack.phrases.values(), *pack.faq.values()):
        texts += said
    return "\n".join([*texts, *(_texts(words) for words in pack.topics.values())])


def _texts(words: TopicWording) -> str:
    texts = [words.label, *words.main, *words.heard, *words.simpler, *words.bridge, *words.keywords]
    for probes in words.probes.values():
        texts += probes
    for slot in words.slots.values():
        texts += (*slot.ask, *slot.cues, *slot.choices)
    for branch in words.branches.values():
        texts += (*branch.says, *branch.ask)
    return "\n".join(texts)
