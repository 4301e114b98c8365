"""Going through the topics: what is asked next, when to dig deeper, and when enough is known."""

from afterword.paige import contradictions, judge, ledger, relevance, verdict, wording
from afterword.paige.candidates import Candidates, Worded
from afterword.paige.guide import BranchWording, Topic
from afterword.paige.prompt import Next
from afterword.paige.quotes import chosen_option, echo, has_cue, leading_name, thread
from afterword.paige.state import Pending, Step
from afterword.paige.voice import Voice

# Probes in all and on the first question: two at the start cost 2 to 3 points of drop-out among 1,800 people.
PROBES_TOTAL = 6
PROBES_FIRST = 1
PROBES_SHORT = 1
# The slot whose bare name is the option that won.
CHOSEN = "chosen"
# After so many low-effort answers in a row only the must-haves are asked.
LOW_EFFORT_STREAK = 3
# Questions about a thread that no topic foresaw; they are probes as well, but not of the topic's own.
TANGENTS = 2
# Kept back beside one question for each open must-have: the closing one. With no more left, nothing is dug into.
# Keeping back three cost a tenth of what people tell only when asked to go on.
_SPARE_QUESTIONS = 1
# So much of an answer is kept to notice that the same was sent again.
_REPEAT_CHARS = 200


class Asking(Voice):
    """The interviewer's own moves. Each method that returns a Step ends the turn.

    `candidates` is what a model made of this answer: it helps to judge, and its words stand in for the guide's where
    the guard lets them through. `extra` is the optional slot that the planner wants asked.
    """

    candidates: Candidates | None = None
    extra: tuple[str, str] | None = None

    def advance(self) -> Step:
        """Ask the next topic, else the closing question, else read back."""
        topic = self._next_topic()
        if topic is not None:
            return self._ask_topic(topic)
        asked_last = self.state.pending.kind == "catch_all"
        question = None if asked_last else self.word("catch_all", self.pack.catch_all)
        if question and self.questions_left() > 0:
            self.lead.append(self.phrase("announce_last"))
            return self.ask(Pending("catch_all"), question)
        return self.read_back()

    def take_answer(self, raw: str) -> Step:
        """An answer to a topic's question: credit it, then dig deeper, follow up, or move on."""
        if self.state.pending.kind == "scale":
            return self._take_choice(raw)
        quality, satisfied = self.credit(raw)
        wanted = self._wants_probe(raw, quality, satisfied)
        return (
            self._reconcile(raw)
            or self._follow_thread(raw, quality)
            or (self._probe(raw, quality) if wanted else None)
            or self._follow_up(raw)
            or self._leave_topic()
        )

    def credit(self, raw: str) -> tuple[judge.Quality, bool]:
        """Take up what an answer tells; how much that is, and whether it gives what the topic needs."""
        pending, quality = self.state.pending, self._heard(raw)
        self.set(evidence=ledger.credit(self.guide, self.pack, self.state, raw, self.scores))
        said = self.candidates.verdict if self.candidates else None
        if said:
            self.set(evidence=verdict.evidence(self.guide, self.state, raw, said, self.scores))
        best = max(quality.score, judge.ADVANCE_AT) if self._judged_enough(quality) else quality.score
        self.set_topic(pending.topic, best=max(self.standing.best, best), met=ledger.met(self.standing, quality))
        # A name is all that the question for one asks.
        named = pending.kind == "slot" and self.topic.slot(pending.key).kind == "entity"
        satisfied = named or ledger.satisfied(self.topic, self.words, raw, quality, self.standing.met, self.scores)
        on_topic = has_cue(raw, self._cues(self.topic)) or bool(said and said.credited(pending.topic))
        self._count_effort(raw, low=quality.low_effort and not (satisfied or on_topic))
        for branch in self.topic.branch:
            if not branch.slot and has_cue(raw, self._branch(branch.id).says):
                self._skip_topics(branch.skip)
        if self.state.low_effort >= LOW_EFFORT_STREAK and not self.state.fast:
            self.set(fast=True)
            self.lead.append(self.phrase("fast_path"))
        return quality, satisfied

    def ahead(self, raw: str) -> Next:
        """What would be asked after this answer, whether it is dug into or not. Leaves the turn unusable."""
        quality, _ = self.credit(raw)
        kind, example = self._next_probe(raw, quality) or ("", "")
        if not kind and self._may_stray():
            kind = "tangent"
        self.close_topic(self.topic.id, "thin")
        topic = self._next_topic()
        if topic is None or topic.opening_scale:
            return Next(kind, example)
        words = self.pack.topics[topic.id]
        question = self.word(f"{topic.id}:main", words.main) or self.word(f"{topic.id}:simpler", words.simpler)
        return Next(kind, example, topic.id, question or "") if question else Next(kind, example)

    def take_last(self, raw: str) -> Step:
        """The answer to the closing question."""
        if not (judge.affirms(raw, self.reads) or judge.adds_nothing(raw, self.reads)):
            self.set(evidence=ledger.credit_last(self.state, raw, self.reads))
        return self.read_back()

    def read_back(self) -> Step:
        """Close what is open and show what will be passed on, in their words."""
        for topic in self.open_topics():
            self.close_topic(topic.id, "out_of_budget")
        lines = ledger.recap_lines(self.guide, self.state, self.weights)
        self.set(phase="recap", pending=Pending(), choices=(), recap=lines)
        return self.show_recap()

    def show_recap(self) -> Step:
        """The read-back and what is asked of it."""
        lines = self.state.recap
        if not lines:
            return self.say(self.phrase("recap_empty"))
        quoted = "\n".join(f"“{line}”" for line in lines)
        return self.say(f"{self.phrase('recap')}\n{quoted}\n{self.phrase('recap_question')}")

    def _next_topic(self) -> Topic | None:
        """The next open topic by group, weight and the guide's order; only must-haves when little is left."""
        if self.questions_left() <= 0:
            return None
        self._take_unchosen()
        for topic in self.open_topics():
            if not topic.must_have and ledger.volunteered(topic, self.pack.topics[topic.id], self.state):
                self.close_topic(topic.id, "answered")
        few = self.state.fast or self._tight()
        ahead = self.open_topics(must_have=few)
        hurried = self.state.fast  # whoever may leave at any moment is asked what matters most first
        return min(
            ahead,
            key=lambda topic: (hurried and topic.priority, topic.order_group, -self.weights[topic.id]),
            default=None,
        )

    def _ask_topic(self, topic: Topic) -> Step:
        words, scale = self.pack.topics[topic.id], topic.opening_scale
        pending = Pending("scale", topic.id, scale) if scale else Pending("main", topic.id)
        self.set_topic(topic.id, asked=1, used=(scale,) if scale else ())
        question = None
        if words.heard and (said := ledger.volunteered_words(topic, words, self.state)):
            question = self.word(f"{topic.id}:heard", words.heard, said)
        question = (
            question or self.word(f"{topic.id}:main", words.main) or self.word(f"{topic.id}:simpler", words.simpler)
        )
        if question is None:
            self.close_topic(topic.id, "skipped")
            return self.advance()
        scales = any(slot.kind in ("choice", "scale") for slot in topic.slots) and not scale
        announced = bool(self.state.turns) and (self.state.fast or not scales) and self._announce_two()
        worded = self.candidates.advance(self.state, topic.id, self._lead()) if self.candidates and not scale else None
        if worded:
            return self._ask_worded(pending, worded)
        if self.state.turns and words.bridge and not (announced or self.lead):
            self.lead.append(wording.first_choice(self.state.seed, f"{topic.id}:bridge", words.bridge, self.values()))
        return self.ask(pending, question)

    def _heard(self, raw: str) -> judge.Quality:
        quality = judge.quality(raw, self.scores)
        self._hear_name(raw)
        self.set(answers=self.state.answers + bool(quality.words))
        return quality

    def _judged_enough(self, quality: judge.Quality) -> bool:
        """Whether the model saw a full answer, and our rules, or its quote of what is not empty, bear it out."""
        said = self.candidates.verdict if self.candidates else None
        if said is None or said.quality != 2:
            return False
        quoted = said.credited(self.state.pending.topic) and not quality.vague
        borne_out = quoted or quality.score >= judge.PROBE_BELOW
        return borne_out or (self.state.pending.kind == "probe" and ledger.all_met(self.topic, self.state))

    def _wants_probe(self, raw: str, quality: judge.Quality, satisfied: bool) -> bool:
        """Whether an answer calls for digging deeper, by the model's judgement where it gave a usable one."""
        matters = self.topic.priority == 1 or self.weights[self.topic.id] > 0
        match self.candidates.verdict.quality if self.candidates else None:
            case 0:
                return True
            case 1:
                return self._open_driver() or (not satisfied and (matters or quality.score < judge.PROBE_BELOW))
            case 2 if self._judged_enough(quality):
                # What decided is asked about twice at least, so that there is a scene to it.
                return self.state.pending.kind == "main" and self._open_driver()
            case _:
                thin = quality.score < judge.PROBE_BELOW or (quality.score < judge.ADVANCE_AT and matters)
                return self._open_driver() or self._astray(raw) or (thin and not satisfied)

    def _open_driver(self) -> bool:
        """Whether this is the reason that decided, and a scene or a comparison is still missing."""
        return self.topic.driver and bool(self._missing() - set(self.standing.used))

    def _missing(self) -> set[str]:
        """The kinds of probe by which a main driver gets what nothing has been said to."""
        kinds = {"example": "episode", "comparison": "contrast"}
        missing = {kind for need, kind in kinds.items() if need not in self.standing.met}
        return missing & set(self.topic.probe_types)

    def _astray(self, raw: str) -> bool:
        """Whether an answer is about something else, however well it is told; asked once of a topic."""
        fresh = self.state.pending.kind == "main" and "thread" not in self.standing.used
        return fresh and not relevance.speaks_to(self.guide, self.pack, self.topic, raw, self.reads)

    def _reconcile(self, raw: str) -> Step | None:
        """One neutral question on two statements that do not fit together, both in their words."""
        found = contradictions.find(self.state, raw, self.state.pending.topic, self.vendor, self.reads)
        self.set(stances=found.stances)
        if found.earlier is None or found.now is None:
            return None
        self.set(evidence=ledger.with_evidence(self.state, found.earlier, found.now))
        if not any(event.data.get("reason") == "contradiction" for event in self.events):
            self.flag("contradiction")
        if self.state.reconciled or not self._may_probe() or not self.pressing:
            return None
        said = {"earlier": found.earlier.text, "now": found.now.text}
        texts = self.pack.phrases["reconcile"]
        question = wording.choose(self.state.seed, "reconcile", texts, self.values() | said, self.state.asked)
        if question is None:
            return None
        self.set(reconciled=self.state.reconciled + 1)
        return self._ask_probe("reconcile", question)

    def _follow_thread(self, raw: str, quality: judge.Quality) -> Step | None:
        """Come back once or twice to something telling that no topic has planned; it is outside the topic's own cap.

        Where there is a model, it says whether there is such a thread, and asks about it in its own words.
        """
        standing = self.standing
        if self._first() and standing.probes:
            return None
        if not (self._sees_thread() if self.candidates else self._hears_thread(raw, quality)):
            return None
        worded = self.candidates.tangent(self.state, self.topic.id, self._lead()) if self.candidates else None
        question = worded or self.word("thread", self.pack.phrases["thread"], thread(raw, self.reads))
        if question is None:
            return None
        self.set(tangents=self.state.tangents + 1)
        self.set_topic(self.topic.id, used=(*standing.used, "thread"), probes=standing.probes + self._first())
        return self._ask_probe("tangent" if worded else "echo", question)

    def _hears_thread(self, raw: str, quality: judge.Quality) -> bool:
        """Whether the rules find a strong answer that no topic has planned for."""
        fresh = self.state.pending.kind == "main" or self._on_thread()
        strong = quality.score >= judge.ADVANCE_AT and (quality.episode or quality.causal)
        if not (fresh and strong and self.pressing and self._may_probe()) or self.state.tangents >= TANGENTS:
            return False
        planned = any(has_cue(raw, self._cues(topic)) for topic in self.guide.topics)
        return not planned and not relevance.speaks_to(self.guide, self.pack, self.topic, raw, self.reads)

    def _sees_thread(self) -> bool:
        """Whether the model finds one, and one may be begun, or followed one question further."""
        return bool(self.candidates and "tangent" in self.candidates.verdict.flags and self._may_stray())

    def _may_stray(self) -> bool:
        same = self.state.tangents == 0 or self._on_thread()
        return self.state.tangents < TANGENTS and same and self.pressing and self._may_probe()

    def _on_thread(self) -> bool:
        key = self.state.pending.key
        return key == "tangent" or (key == "echo" and "thread" in self.standing.used)

    def _probe(self, raw: str, quality: judge.Quality) -> Step | None:
        """The next probe of the ladder when the budget allows."""
        found = self._next_probe(raw, quality)
        if found is None:
            return None
        kind, question = found
        topic, standing = self.topic, self.standing
        worded = self.candidates.probe(self.state, topic.id, self._lead()) if self.candidates else None
        self.set_topic(topic.id, probes=standing.probes + 1, used=(*standing.used, kind))
        return self._ask_probe(kind, worded or question)

    def _next_probe(self, raw: str, quality: judge.Quality) -> tuple[str, str] | None:
        """The next kind of probe that has words left, and these; None when the caps allow none."""
        topic, standing = self.topic, self.standing
        cap = min(topic.max_probes, PROBES_FIRST) if self._first() else topic.max_probes
        if standing.probes >= cap or not self.pressing or not self._may_probe():
            return None
        for kind in topic.probe_types:
            if kind in standing.used or (topic.driver and self._needless(kind, quality)):
                continue
            said = echo(raw, self._cues(topic), self.reads) if kind == "echo" else ""
            if question := self.word(f"{topic.id}:{kind}", self.words.probes[kind], said):
                return kind, question
        return None

    def _needless(self, kind: str, quality: judge.Quality) -> bool:
        """Whether a kind of probe would ask the main driver for what has been told."""
        if kind in ("episode", "contrast"):
            return kind not in self._missing()
        return quality.score >= judge.ADVANCE_AT

    def _ask_probe(self, kind: str, question: Worded | str) -> Step:
        self.set(probes=self.state.probes + 1, choices=())
        self.emit("probe", topic=self.topic.id, type=kind)
        pending = Pending("probe", self.topic.id, kind)
        return self.ask(pending, question) if isinstance(question, str) else self._ask_worded(pending, question)

    def _ask_worded(self, pending: Pending, worded: Worded) -> Step:
        """Put a question of a model's; what leads over to it is no part of the question that is not to come again."""
        if worded.bridge:
            self.lead.append(worded.bridge)
        return self.ask(pending, worded.question, acknowledge=False)

    def _may_probe(self) -> bool:
        """Whether the interview's budget allows one more probe."""
        most = PROBES_SHORT if self.state.short else PROBES_TOTAL
        return self.state.probes < most and not self.state.fast and not self._tight()

    def _first(self) -> bool:
        """Whether this is the first topic that is asked."""
        return sum(bool(topic.asked) for topic in self.state.topics) == 1

    def _lead(self) -> str:
        return " ".join(self.lead)

    def _follow_up(self, raw: str) -> Step | None:
        """A branch their words open, a slot that is still missing, or the scale that sums the topic up."""
        topic, standing = self.topic, self.standing
        if self.state.fast or self._tight():
            return None
        for branch in topic.branch if self.pressing and not self.state.short else ():
            heard = not branch.slot and has_cue(raw, self._branch(branch.id).says)
            question = self.word(f"{topic.id}:{branch.id}", self._branch(branch.id).ask) if heard else None
            if question and branch.id not in standing.used:
                return self._ask_part("branch", branch.id, question)
        for slot in topic.slots:
            words = self.words.slot(slot.id)
            scale = slot.kind in ("choice", "scale")
            if self.state.short and not (topic.driver and slot.kind == "choice"):
                continue
            if not words.ask or slot.id in standing.used:
                continue
            if not scale and ledger.told(self.state, topic.id, slot.id, words.cues):
                continue
            wanted = slot.must_have or (self.pressing and self.weights[topic.id]) or self.extra == (topic.id, slot.id)
            if not scale and not wanted:
                continue
            if scale and self.state.low_effort and not topic.driver:
                continue
            if question := self.word(f"{topic.id}:{slot.id}", words.ask):
                if scale:
                    self._announce_two()
                return self._ask_part("scale" if scale else "slot", slot.id, question)
        return None

    def _announce_two(self) -> bool:
        """Say once that two questions are left, when only this topic and the closing question are."""
        few = self.state.fast or self._tight()
        if self.state.announced or len(self.open_topics(must_have=few)) != 1:
            return False
        self.set(announced=True)
        self.lead.append(self.phrase("announce_two"))
        return True

    def _ask_part(self, kind: str, key: str, question: str) -> Step:
        topic_id = self.topic.id
        self.set_topic(topic_id, used=(*self.standing.used, key))
        return self.ask(Pending(kind, topic_id, key), question)

    def _take_choice(self, raw: str) -> Step:
        """A label of the scale, by its text or number; other words are kept as an answer and not pressed further."""
        pending, choices = self.state.pending, self.state.choices
        self._heard(raw)
        label = ledger.match_choice(raw, choices)
        if label:
            self.set(scales=(*self.state.scales, (f"{pending.topic}.{pending.key}", label)))
            for branch in self.topic.branch:
                if branch.slot == pending.key and branch.min <= choices.index(label) + 1 <= branch.max:
                    self._skip_topics(branch.skip)
        else:
            self.set(evidence=ledger.credit(self.guide, self.pack, self.state, raw, self.scores))
        return self._follow_up(raw) or self._leave_topic()

    def _leave_topic(self) -> Step:
        """Close the topic by what was learned and go on."""
        topic, standing = self.topic, self.standing
        scale = f"{topic.id}.{topic.opening_scale}"
        chosen = any(key == scale for key, _ in self.state.scales)
        met = self.pressing and ledger.all_met(topic, self.state)
        told = chosen or met or standing.best >= judge.PROBE_BELOW
        self.close_topic(topic.id, "answered" if told else "thin")
        return self.advance()

    def _take_unchosen(self) -> None:
        """Where a scale was left without a choice, take the branch that is meant for that."""
        chosen = {key for key, _ in self.state.scales}
        for topic in self.guide.topics:
            if self.state.topic(topic.id).status != "open":
                for branch in topic.branch:
                    if branch.otherwise and f"{topic.id}.{branch.slot}" not in chosen:
                        self._skip_topics(branch.skip)

    def spare_questions(self) -> int:
        """How many questions fit besides one for each must-have that has not been asked."""
        unasked = sum(not self.state.topic(topic.id).asked for topic in self.open_topics(must_have=True))
        return self.questions_left() - unasked

    def _tight(self) -> bool:
        """Whether what is left is needed for the must-haves."""
        return self.spare_questions() <= _SPARE_QUESTIONS

    def _count_effort(self, raw: str, *, low: bool) -> None:
        folded = judge.fold(raw)[:_REPEAT_CHARS]
        same = bool(folded) and folded == self.state.last_answer
        self.set(low_effort=self.state.low_effort + 1 if low or same else 0, last_answer=folded)

    def _hear_name(self, raw: str) -> None:
        name = chosen_option(raw, self.vendor, self.reads)
        if not name and (self.state.pending.kind, self.state.pending.key) == ("slot", CHOSEN):
            name = leading_name(raw.strip(), self.vendor, self.reads)
        if name:
            self.set(competitor=name)

    def _branch(self, branch_id: str) -> BranchWording:
        return self.words.branches.get(branch_id, BranchWording())

    def _skip_topics(self, topic_ids: tuple[str, ...]) -> None:
        for topic_id in topic_ids:
            self.close_topic(topic_id, "skipped")

    def _cues(self, topic: Topic) -> tuple[str, ...]:
        return tuple(cue for slot in topic.slots for cue in self.pack.topics[topic.id].slot(slot.id).cues)
