"""What the contact may start at any time: skip, refuse, ask back, pause, stop; and how an interview opens and ends."""

from dataclasses import replace

from afterword.paige import ledger, wording
from afterword.paige.asking import LOW_EFFORT_STREAK, Asking
from afterword.paige.judge import PROBE_BELOW
from afterword.paige.state import NOTHING_SAID, EndedBy, Pending, Step, TopicStatus
from afterword.paige.voice import MAX_TURNS, RECAP_AT

# Rewordings, redirects and answers to questions of theirs; past this many, a digression moves on.
_DIGRESSIONS = 6
_REDIRECTS = 2
_WELCOMES = 2
# With more topics answered than this, "I was not involved" concerns the topic and not the person.
_WRONG_PERSON_ANSWERS = 2

_CLOSINGS = {"delete": "closing_deleted", "opt_out": "closing_opted_out"}


class Talk(Asking):
    """All moves. Each public method that returns a Step ends the turn."""

    def begin(self) -> Step:
        """The greeting and the first question."""
        if self.state.short:
            self.keep_essentials()
        self.lead.append(self.word("opening", self.pack.opening) or "")
        return self.advance()

    def complete(self, *, corrected: bool = False) -> Step:
        """The recap is confirmed or corrected: the interview is complete, the form that follows is optional."""
        if corrected:
            self.emit("correction", answer=self.state.heard - 1)
        self.set(phase="experience", ended_by="finished", pending=Pending())
        self.emit("completed", ended_by="finished")
        if self.state.turns + 2 > MAX_TURNS:
            self.set(phase="done")
            return self.say(self._closing())
        return self.say(self.phrase("experience_corrected" if corrected else "experience"))

    def finish_experience(self, given: dict[str, object]) -> Step:
        """The optional form, filled or blank; then thanks."""
        if given:
            self.emit("experience", **given)
        self.set(phase="done")
        return self.say(self._closing())

    def skip(self) -> Step:
        """Leave the pending question."""
        match self.state.pending.kind:
            case "hold":
                return self.advance()
            case "referral":
                return self.take_referral(given=False)
            case "catch_all":
                return self.read_back()
            case _:
                self._count_effort("", low=True)
                self.lead.append(self.phrase("skipped"))
                return self._close_here("skipped")

    def refused(self) -> Step:
        """A refusal closes the topic; it is not asked about again."""
        self.lead.append(self.phrase("refused"))
        return self._close_here("refused")

    def dont_know(self) -> Step:
        """The first time a plainer question, where it matters; after that the topic is left."""
        self._count_effort("", low=True)
        plain = self.state.pending.kind != "main" or self.standing.clarified or self.standing.dont_knows
        once_more = not plain and not self._tight() and self.state.low_effort < LOW_EFFORT_STREAK
        question = self.word(f"{self.topic.id}:simpler", self.words.simpler) if once_more else None
        if question and self.topic.must_have:
            self.set_topic(self.topic.id, dont_knows=1)
            self.lead.append(self.phrase("dont_know_easier"))
            return self.ask(self.state.pending, question, new=False)
        self.lead.append(self.phrase("dont_know_move_on"))
        return self._close_here("dont_know")

    def not_me(self, *, wholly: bool) -> Step:
        """Somebody else knows: early on ask which role that was and let the person go; else leave the topic."""
        self.flag("referral")
        told = sum(topic.best > NOTHING_SAID for topic in self.state.topics)  # a score is no answer of theirs
        early = told <= 0 or (wholly and told <= _WRONG_PERSON_ANSWERS)
        if not early or self.questions_left() <= 0:
            return self.dont_know()
        return self.ask(Pending("referral"), self.phrase("referral_ask"))

    def wrong_person(self, who: str) -> Step:
        """The same from the button on the page, at any time: with a name or a role the interview ends at once."""
        self.wake()
        self.flag("referral")
        if self.state.phase == "recap":
            if who:
                self.flag("referral_given")
            return self.complete()
        if who or self.state.pending.kind == "referral" or self.questions_left() <= 0:
            return self.take_referral(given=bool(who))
        self.set(choices=())
        return self.ask(Pending("referral"), self.phrase("referral_ask"))

    def take_referral(self, *, given: bool = True) -> Step:
        """Whoever was named is noted for a person; the interview ends here."""
        if given:
            self.flag("referral_given")
        for topic in self.open_topics():
            self.close_topic(topic.id, "dont_know")
        if self.state.answers:
            return self.read_back()
        self.set(phase="stopped", held="asking", ended_by="stopped", undone=1)
        self.emit("stopped_early", reason="wrong_person")
        return self.say(self.phrase("closing_referral"))

    def clarify(self) -> Step:
        """Once a simpler wording; the second time the topic is left."""
        if self.state.pending.kind == "scale":
            return self._again()
        if self.standing.clarified or self._digressed():
            self.lead.append(self.phrase("clarify_move_on"))
            return self._close_here("unclear")
        self.set_topic(self.topic.id, clarified=True)
        if self.state.turns >= RECAP_AT - 1:
            return self._close_here("unclear")
        if question := self.word(f"{self.topic.id}:simpler", self.words.simpler):
            return self.ask(self.state.pending, question, new=False)
        return self._again()

    def answer_question(self, entry: str) -> Step:
        """Answer from the FAQ, or note it for a person, and come back to what was asked."""
        self._answer(entry)
        return self.advance() if self.state.pending.kind == "hold" else self._again()

    def answer_besides(self, entry: str) -> None:
        """The same for a question at the end of an answer; the interview goes on."""
        if entry:
            self._answer(entry)

    def answer_in_recap(self, entry: str) -> Step:
        """The same while the recap is being read."""
        self._answer(entry)
        return self.say(self.phrase("recap_question"))

    def can_speak_in_recap(self) -> bool:
        """Whether a message fits before the form and the thanks."""
        return self.state.turns + 3 <= MAX_TURNS and not self._digressed()

    def redirect(self) -> Step:
        """Once a light redirect, then an offer to skip or stop, then the topic is left. The message is kept."""
        if self.state.redirects >= _REDIRECTS or self._digressed():
            self._count_effort("", low=True)
            return self._close_here("thin")
        self.set(redirects=self.state.redirects + 1)
        self.lead.append(self.phrase("redirect" if self.state.redirects == 1 else "redirect_again"))
        return self._again()

    def hurry(self) -> Step:
        """Only what matters most from here."""
        self.note_hurry()
        return self._again()

    def note_hurry(self) -> None:
        """The same beside an answer."""
        if not self.state.fast:
            self.set(fast=True)
            self.lead.append(self.phrase("hurry"))

    def change_language(self, code: str) -> Step:
        """From here on in another language, beginning with what is pending; silent where the guide has no such pack."""
        if code not in self.guide.packs or code == self.state.language:
            return self.silent()
        self.speak(code)
        if self.state.phase == "recap" and self.can_speak_in_recap():
            self.set(digressions=self.state.digressions + 1)
            return self.show_recap()
        room = self.state.turns < RECAP_AT - 1 and not self._digressed()
        return self._again() if self.state.phase == "asking" and room else self.silent()

    def abuse(self) -> Step:
        """One calm boundary, then a polite end."""
        self.flag("abuse")
        if self.state.abuse:
            return self.end_safely("abuse", flagged=True)
        self.set(abuse=1, fast=True)
        self.lead.append(self.phrase("abuse_boundary"))
        return self._again() if self.state.pending.kind not in ("hold", "referral") else self.advance()

    def distress(self) -> Step:
        """Acknowledge, drop the subject, offer to pause or stop, tell a person; a second time, end."""
        self.flag("distress")
        if self.state.distress or self.state.turns >= RECAP_AT - 1:
            return self.end_safely("distress", flagged=True)
        self.set(distress=1)
        if self.state.pending.topic:
            self.close_topic(self.state.pending.topic, "skipped")
        self.set(pending=Pending("hold"), choices=())
        return self.say("\n".join(part for part in (self.phrase("distress"), self.support) if part))

    def end_safely(self, reason: str, *, flagged: bool = False) -> Step:
        """End for the person's sake or ours; what was told is kept."""
        if not flagged:
            self.flag(reason)
        self._end("safety", reason)
        return self.say(self.phrase("closing_safety"))

    def note_opt_out(self) -> None:
        """No more mail; the interview goes on."""
        self.emit("opt_out")
        self.lead.append(self.phrase("opt_out_noted"))

    def stop(self, why: str = "stop") -> Step:
        """Stop now. A plain stop can be taken back once."""
        if self.state.ended_by:
            self.set(phase="done")
            return self.say(self._closing()) if self.state.turns < MAX_TURNS else self.silent()
        if why != "stop":
            self.emit("delete_request" if why == "delete" else "opt_out")
            self.set(undone=1)
        self._end("stopped", why)
        default = "closing_stopped" if self.state.answers else "closing_stopped_empty"
        closing = self.phrase(_CLOSINGS.get(why, default))
        return self.say(closing)

    def confirm_stop(self, raw: str) -> Step:
        """Ask whether to stop, where only a model heard a wish to; what the message told is kept."""
        self.credit(raw)
        self.set(before=self.state.pending, pending=replace(self.state.pending, kind="confirm_stop"))
        return self.say(self.phrase("confirm_stop"))

    def go_on(self) -> Step:
        """They do not want to stop: on from where it was, past a question that they had answered."""
        return self._leave_topic() if self.standing.best >= PROBE_BELOW else self._again()

    def undo(self) -> Step:
        """Take a stop back and go on where it was."""
        self.set(phase=self.state.held, ended_by=None, undone=self.state.undone + 1)
        self.emit("stop_undone")
        return self._welcome() if self.state.phase == "asking" else self.silent()

    def pause(self) -> Step:
        """Pause; the page says so, nothing is added to the conversation."""
        self.set(held=self.state.phase, phase="paused")
        return self.silent()

    def resume(self) -> Step:
        """Back after a while: one line in their words, and the question once more."""
        self.wake()
        return self._welcome() if self.state.phase == "asking" else self.silent()

    def wake(self) -> None:
        """Whoever answers is no longer pausing."""
        if self.state.phase == "paused":
            self.set(phase=self.state.held)

    def _close_here(self, status: TopicStatus) -> Step:
        """Leave the pending question; a topic that was already answered stays answered."""
        if self.state.pending.topic:
            best = self.standing.best
            if best >= PROBE_BELOW:
                status = "answered"
            elif best > NOTHING_SAID and status != "refused":
                status = "thin"
            self.close_topic(self.topic.id, status)
        if self.state.low_effort >= LOW_EFFORT_STREAK and not self.state.fast:
            self.set(fast=True)
            self.lead[-1:] = [self.phrase("fast_path")]
        return self.advance()

    def _again(self) -> Step:
        """The pending question once more in other words; when there are none left, a pointer to it."""
        if self._digressed() or self.state.turns >= RECAP_AT - 1:
            return self._close_here("skipped")
        self.set(digressions=self.state.digressions + 1)
        pending, topic_id = self.state.pending, self.state.pending.topic
        question = None
        match pending.kind:
            case "main":
                question = self.word(f"{topic_id}:main", (*self.words.main, *self.words.simpler))
            case "probe" if pending.key in self.words.probes and pending.key != "echo":
                question = self.word(f"{topic_id}:{pending.key}", self.words.probes[pending.key])
            case "slot" | "scale":
                question = self.word(f"{topic_id}:{pending.key}", self.words.slot(pending.key).ask)
            case "branch":
                question = self.word(f"{topic_id}:{pending.key}", self.words.branches[pending.key].ask)
            case "catch_all":
                question = self.word("catch_all", self.pack.catch_all)
            case _:
                pass
        if question is None:
            return self.say(self.phrase("go_on"))
        return self.ask(pending, question, new=False)

    def _welcome(self) -> Step:
        """The question once more after a break, with one line of theirs; silent when there is no room for it."""
        if self.state.welcomed >= _WELCOMES or self.state.turns >= RECAP_AT - 2 or self._digressed():
            return self.silent()
        self.set(welcomed=self.state.welcomed + 1)
        said = ledger.latest_words(self.state)
        if said and self.state.welcomed == 1:
            texts = self.pack.phrases["welcome_back_heard"]
            self.lead.append(wording.first_choice(self.state.seed, "welcome", texts, self.values(said)))
        else:
            self.lead.append(self.phrase("welcome_back"))
        return self._again()

    def _digressed(self) -> bool:
        return self.state.digressions >= _DIGRESSIONS

    def _answer(self, entry: str) -> None:
        if entry == "for_a_person" or entry not in self.pack.faq:
            self.flag("question_for_a_person")
        self.lead.append(self.faq(entry))

    def _end(self, ended_by: EndedBy, reason: str) -> None:
        self.wake()
        self.set(held=self.state.phase, phase="stopped", ended_by=ended_by)
        if self.state.answers:
            self.emit("completed", ended_by=ended_by)
        else:
            self.emit("stopped_early", reason=reason)

    def _closing(self) -> str:
        return self.word("closing", self.pack.phrases["closing"]) or ""
