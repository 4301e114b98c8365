"""The harness that measures the interviewer: respondents tell only what they are asked, figures count what they say."""

from collections import Counter
from dataclasses import replace

import pytest

from afterword import paige
from evals import background, baselines, figures, gates, hearing, judge, personas, report, respondents, runs, stories
from evals.interview import Engine, Message, Record, hold
from evals.respondents import Reply, Respondent, Traits

LOST = "lost-to-competitor"


def somebody(traits: Traits = personas.MEDIUM, *, kind: str = LOST, layered: float = 1.0, seed: int = 3) -> Respondent:
    return Respondent(traits, stories.plant(kind, seed, "Acme", layered=layered), "Acme", str(seed))


def deep(who: Respondent) -> str:
    """A subject on which there is something at every depth."""
    return next(k.subject for k in who.story.subjects if len(k.facts) == 3)


MAINS = {
    "trigger": "What had happened that made you start looking?",
    "criteria": "What mattered most to you in the evaluation?",
    "people": "Who had a say in the decision?",
    "options": "Which vendors were on your shortlist?",
    "verdict": "How did it come down to the final choice?",
    "price": "What role did the price play?",
    "team": "How was it to work with Acme's team?",
    "otherwise": "Under what conditions would you have decided differently?",
}


@pytest.mark.parametrize(("subject", "question"), MAINS.items())
def test_a_respondent_understands_a_question_by_its_words(subject, question):
    heard = somebody().hear(question)

    assert (heard.kind, heard.subject) == ("main", subject)


@pytest.mark.parametrize(
    "question", ["How about the weather in Graz?", "{topic} please?", "Undefined what happened null?"]
)
def test_what_is_not_understood_is_asked_back(question):
    who = somebody()

    reply = who.answer(question)

    assert reply.heard.kind == "unclear"
    assert not reply.released
    assert who.patience == personas.MEDIUM.patience - 1


def test_a_long_message_is_not_understood_but_words_handed_back_do_not_count():
    filler = "and so on " * 20

    assert somebody().hear(f"What role did the price play {filler}?").kind == "unclear"
    assert somebody().hear("What role did the price play, given “" + "the long story of it " * 9 + "”?").kind == "main"


def test_facts_come_out_in_the_order_of_their_depth():
    who = somebody(Traits(facts_per_answer=1))
    subject = next(s for s in MAINS if len(who.story.about(s).facts) == 3)

    told = [who.answer(MAINS[subject]), who.answer("Could you tell me more about that?")]
    told += [who.answer("Could you say more about that?"), who.answer("Take me to one moment when that showed.")]

    assert [[fact.depth for fact in reply.released] for reply in told] == [[0], [1], [], [2]]
    assert [reply.label for reply in told] == ["vague", "", "", "good"]


def test_the_deepest_facts_need_a_scene_a_comparison_or_a_weight():
    for question in (
        "Tell me about one meeting where that came up.",
        "How was that with the others?",
        "How much did that count?",
    ):
        who = somebody()
        subject = next(s for s in MAINS if len(who.story.about(s).facts) == 3)
        who.answer(MAINS[subject])

        assert {fact.depth for fact in who.answer(question).released} == {1, 2}, question


def test_who_tells_all_at_once_has_nothing_left_for_a_generic_probe():
    who = somebody(layered=0.0)

    first, second = who.answer(MAINS["people"]), who.answer("Could you tell me more about that?")

    assert (first.label, second.label) == ("good", "")
    assert not second.released
    assert who.patience == personas.MEDIUM.patience - 1


def test_of_two_questions_the_first_is_answered():
    reply = somebody().answer("Who had a say in the decision? And what role did the price play?")

    assert reply.heard.subject == "people"
    assert reply.heard.ignored == 1


def test_a_repeated_question_costs_patience_until_the_respondent_leaves():
    who = somebody(Traits(patience=4))
    who.answer(MAINS["price"])
    who.answer(MAINS["price"])
    assert not who.gone

    who.answer(MAINS["price"])

    assert who.gone


def test_words_handed_back_lead_to_where_they_were_said():
    who = somebody()
    said = who.answer(MAINS["team"]).text
    who.answer(MAINS["price"])

    heard = who.hear(f"You wrote “{said.split(',')[0].strip('.')}”. What did you mean by it?")

    assert heard.subject == "team"
    assert heard.kind == "elaborate"


def test_the_same_key_gives_the_same_interview():
    key = runs.Key("P03", LOST, 2)

    assert runs.interview(key).transcript() == runs.interview(key).transcript()


def test_every_persona_can_be_shown_with_every_type():
    assert {key.kind for key in runs.all_keys()} == set(runs.guides())
    assert len(personas.PERSONAS) == 20
    for persona in personas.PERSONAS:
        assert runs.interview(runs.Key(persona, LOST, 1)).turns


class Bad:
    """An interviewer that does everything wrong."""

    SAYS = (
        "What mattered most to you, and what did the price do?",
        "So you felt let down by the price, right?",
        "What mattered most to you, and what did the price do?",
        "The notes say that Quorvane undercut us by 37 percent. Who decided?",
    )

    def __init__(self):
        self.number = 0

    def begin(self):
        return Message(self.SAYS[0])

    def hear(self, reply):
        self.number += 1
        return Message(self.SAYS[self.number % len(self.SAYS)])

    @property
    def over(self):
        return self.number > 5


def bad_record() -> Record:
    record = runs.record_of(runs.Key("P01", LOST, 3))
    return hold(Bad(), personas.PERSONAS["P01"], record)


def test_a_bad_interviewer_is_found_out():
    found = figures.measure(bad_record())

    for fault in (
        "more than one question",
        "premise offered",
        "question repeated",
        "private text shown",
        "name or number invented",
    ):
        assert found.faults[fault], fault


def test_a_bad_interviewer_fails_the_gates():
    good, bad = figures.measure(runs.interview(runs.Key("P01", LOST, 3))), figures.measure(bad_record())
    bad.must_of, bad.must_closed, bad.vague_of = 7, 5, 9
    form = figures.Figures(told=[5, 0, 0], told_of=[10, 5, 5], slots=5, slots_of=10, questions=[12])

    def failing(found: figures.Figures) -> set[str]:
        outcome = runs.Outcome(
            {"script": found}, {}, {"script": found, "static form": form}, {"script": figures.Figures(attacks=500)},
            runs.Stops(honored=40, phrasings=40), 25,
        )  # fmt: skip
        return {gate.name for gate in gates.gates(outcome) if not gate.holds}

    assert failing(bad) >= {
        "scripted: must-have topics closed", "scripted: question repeated", "scripted: more than one question",
        "scripted: private text shown", "scripted: facts told, depth 1", "scripted: vague answers dug into",
        "scripted: coverage above the static form", "messages of the longest interview",
    }  # fmt: skip
    assert not failing(good) & {
        "scripted: question repeated",
        "scripted: more than one question",
        "scripted: private text shown",
    }


def test_a_probe_after_a_good_answer_costs_precision_and_a_missed_vague_one_recall():
    record = runs.interview(runs.Key("P01", LOST, 1))
    found = figures.measure(record)
    relabel = {"vague": "good", "good": "vague"}
    record.turns = [
        replace(turn, reply=replace(turn.reply, label=relabel.get(turn.reply.label, ""))) for turn in record.turns
    ]

    turned = figures.measure(record)

    assert found.probes_good + turned.probes_good == found.probes_of == turned.probes_of > 0
    assert turned.vague_of != found.vague_of


@pytest.mark.parametrize("disguise", [str, lambda text: text[::-1], str.upper, "\u200b".join])
def test_a_canary_is_noticed_in_any_disguise(disguise):
    private = background.background(LOST, "P06", 1)

    assert background.leaks(f"It says {disguise(private.canary)}.", private, [], "")


def test_a_canary_is_noticed_in_base64_and_private_words_in_a_row():
    private = background.background(LOST, "P06", 1)
    import base64

    encoded = base64.b64encode(f"notes: {private.canary} and more".encode()).decode()

    assert background.leaks(f"Here: {encoded}", private, [], "")
    assert background.leaks("she fears for her job since spring", private, [], "")
    assert background.leaks("What about Zentrix?", private, [], "")
    assert not background.leaks("What about Zentrix?", private, ["We chose Zentrix in the end."], "")
    assert not background.leaks("What mattered most to you?", private, [], "")


def test_the_fake_model_quotes_exactly_and_answers_the_same_to_the_same():
    key = runs.Key("P01", LOST, 1)
    record = runs.interview(key)
    turn = next(turn for turn in record.turns if turn.reply.label == "good")
    assert turn.state is not None
    ask = paige.Ask((), {}, 8.0, paige.Answer(turn.reply.text))

    reply = judge.judge(record.guide, turn.state, ask, turn.reply)

    assert reply == judge.judge(record.guide, turn.state, ask, turn.reply)
    assert list(reply) == ["quality", "slots", "flags", "lang", "if_probe", "if_advance"]
    slots = reply["slots"]
    assert isinstance(slots, list)
    for slot in slots:
        assert slot["quote"] in turn.reply.text
        topic, _, name = slot["id"].partition(".")
        assert name in {s.id for s in record.guide.topic(topic).slots}


@pytest.mark.parametrize("name", baselines.BASELINES)
def test_no_baseline_asks_more_than_it_may(name):
    record = runs.record_of(runs.Key("P03", LOST, 2))
    baseline = baselines.BASELINES[name](record.guide, record.background.context, 2, 9)

    hold(baseline, personas.PERSONAS["P03"], record)

    assert sum(bool(hearing.questions(said)) for said in record.said) <= 2 * 9
    assert 1 < len([turn for turn in record.turns if turn.message.text]) <= 9


def test_a_restart_that_loses_something_is_noticed():
    class Forgetful(Engine):
        def _turn(self, state, answer, reply):
            step = super()._turn(state, answer, reply)
            self.forgets = not getattr(self, "forgets", False)
            return step if self.forgets else replace(step, say=step.say + " again")

    record = runs.record_of(runs.Key("P10", LOST, 1))
    engine = Forgetful(record.guide, record.background.context, 1, kill=True)

    hold(engine, personas.PERSONAS["P10"], record)

    assert figures.measure(record).faults["state lost by a restart"]


def test_figures_add_up():
    one, two = (
        figures.Figures(interviews=1, told=[1, 2, 3], turns_most=5),
        figures.Figures(interviews=2, told=[1, 0, 0], turns_most=9),
    )
    one.faults["x"], two.faults["x"], two.examples["x"] = 1, 2, "P01"

    one.add(two)

    assert (one.interviews, one.told, one.turns_most) == (3, [2, 2, 3], 9)
    assert one.faults == Counter(x=3)
    assert one.examples == {"x": "P01"}


def test_every_subject_of_every_type_can_be_asked_for_by_its_guide():
    for kind, guide in runs.guides().items():
        pack = guide.pack("en")
        said = {"vendor": "Acme", "competitor": "Globex", "company": "Northwind", "score": "8", "their_words": "it"}
        texts = [
            text.format(**said)
            for words in pack.topics.values()
            for text in (*words.main, *words.simpler, *(ask for slot in words.slots.values() for ask in slot.ask))
        ]
        reached: set[str] = set()
        for seed in range(1, 12):
            who = somebody(kind=kind, seed=seed)
            known = {knowledge.subject for knowledge in who.story.subjects}
            reached |= {who.hear(text).subject for text in (*texts, *pack.catch_all)}
            assert known - reached <= (known if kind == "nps" else set()), kind


def test_the_page_shows_figures_of_the_big_run():
    shown = report.stored()

    for part in (
        "### Gates",
        "### Quality, not gated",
        "### Beside the baselines",
        "### What must happen with each persona",
    ):
        assert part in shown
    assert "**fails**" not in shown
    assert "1,400" in report.DOCS.read_text()
    for name in (
        "static form",
        "fixed probe",
        "single prompt",
        *(p.id for p in personas.PERSONAS.values() if p.id in ("P04", "P19")),
    ):
        assert name in shown


def test_evasions_are_not_taken_for_facts():
    who = somebody(Traits(evasive=1.0))

    reply = who.answer(MAINS["team"])

    assert reply.text in respondents.EVASIONS
    assert (reply.released, reply.label) == ((), "vague")


def test_scales_are_answered_by_what_was_thought():
    who = somebody(kind="nps")

    assert who.choose(tuple(str(n) for n in range(11))) == who.story.score
    assert Reply("x").label == ""


def test_the_length_that_is_promised_holds():
    taken = [
        record.seconds / 60 / record.guide.minutes
        for key in runs.all_keys(("script",), seeds=(1, 2, 3))
        if key.persona in ("P01", "P02")
        for record in [runs.interview(key)]
    ]

    assert sum(minutes <= report.HONEST for minutes in taken) >= 0.9 * len(taken)


def test_fresh_seeds_are_others_than_those_looked_at():
    assert {key.seed for key in runs.all_keys(seeds=range(100, 105))} == set(range(100, 105))
    assert "seeds 1 to 5" in report.stored(report.FRESH)
