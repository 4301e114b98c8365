"""Guides: what ships is sound, what is broken is named by its place."""

# ruff: noqa: E501  # what is said and what is expected stand whole on one line

import copy
import itertools

import pytest

from afterword import paige
from afterword.errors import BadRequest
from afterword.paige import content, guard
from afterword.paige import wording as wording_rules
from tests.paige_talks import GUIDES, LOST

SHIPPED = dict(paige.shipped_guides())


ORDER = ["lost-to-competitor", "won", "no-decision", "churn", "nps", "onboarding", "seller-debrief"]


def test_seven_guides_ship_and_the_one_to_try_first_comes_first():
    assert [slug for slug, _ in paige.shipped_guides()] == ORDER
    assert [guide.slug for guide in GUIDES] == ORDER
    assert [guide.minutes for guide in GUIDES] == [13, 13, 10, 11, 5, 9, 6]
    assert [guide.slug for guide in GUIDES if guide.internal] == ["seller-debrief"]


@pytest.mark.parametrize("guide", GUIDES)
def test_every_must_have_that_is_asked_openly_may_be_dug_into(guide):
    for topic in guide.topics:
        if topic.must_have and any(slot.kind in ("text", "entity") for slot in topic.slots):
            assert topic.max_probes >= 1
        if topic.driver:
            assert topic.max_probes >= 2


@pytest.mark.parametrize("guide", GUIDES)
def test_every_guide_leaves_room_for_three_probes_beside_all_it_would_ask(guide):
    """What a branch leaves out is not asked; NPS has the most with the three topics of a detractor."""
    left_out = {topic for branch in guide.topics[0].branch if branch.id == "detractor" for topic in branch.skip}
    topics = [topic for topic in guide.topics if topic.id not in left_out]
    asked = [
        bool(guide.packs["en"].topics[topic.id].slot(slot.id).ask) and slot.id != topic.opening_scale
        for topic in topics
        for slot in topic.slots
        if slot.must_have
    ]
    assert guide.max_questions - len(topics) - sum(asked) - 1 >= 3


@pytest.mark.parametrize("guide", GUIDES)
def test_what_ships_keeps_the_craft_rules(guide):
    assert paige.craft_warnings(guide) == ()


@pytest.mark.parametrize("guide", GUIDES)
def test_what_ships_has_enough_wordings(guide):
    for pack in guide.packs.values():
        for topic in guide.topics:
            words = pack.topics[topic.id]
            assert len(words.main) >= 3
            assert len(words.simpler) >= (1 if topic.opening_scale else 2)
            assert words.bridge or topic is guide.topics[0] or topic.opening_scale
            assert all(words.slot(slot.id).cues or slot.kind in ("scale", "choice") for slot in topic.slots)
            assert all(len(words.probes[kind]) >= 2 for kind in topic.probe_types)
            assert words.keywords


@pytest.mark.parametrize("guide", [guide for guide in GUIDES if guide.consent == "buyer"])
def test_the_unaided_topics_come_before_our_own_name(guide):
    """Criteria and options are asked before anything about the vendor, whose name only the later topics may say."""
    pack = guide.packs["en"]
    for topic in guide.topics:
        if topic.order_group <= guide.topic("options").order_group:
            assert "{vendor}" not in " ".join([*pack.topics[topic.id].main, *pack.topics[topic.id].simpler])


@pytest.mark.parametrize("guide", GUIDES)
def test_a_scale_comes_after_the_open_answer_that_it_sums_up(guide):
    """Only a topic of nothing but scales asks one first, such as the score with which an NPS follow-up begins."""
    for topic in guide.topics:
        kinds = ["scale" if slot.kind in ("scale", "choice") else "open" for slot in topic.slots]
        assert kinds == sorted(kinds), "open slots first"
        assert not topic.opening_scale or (guide.slug, topic.id) in {("nps", "score"), ("nps", "contact")}


@pytest.mark.parametrize("guide", GUIDES)
def test_no_question_of_a_guide_repeats_another_of_its_topic(guide):
    """Else an interview runs out of wordings before it runs out of reasons to ask."""
    for pack in guide.packs.values():
        for words in pack.topics.values():
            texts = [*words.main, *words.simpler, *(text for slot in words.slots.values() for text in slot.ask)]
            for earlier, later in itertools.combinations(texts, 2):
                assert not wording_rules.repeats(later, [earlier]), (earlier, later)


ASKING = {"recap_question", "recap_empty", "referral_ask", "reconcile", "thread"}
# Only whether to stop may be asked so that yes or no answers it.
CONFIRMING = {"confirm_stop"}


@pytest.mark.parametrize(("name", "texts"), content.phrases("en").items())
def test_what_is_said_between_the_questions_keeps_the_craft_rules(name, texts):
    if name == "faq":
        texts = [text for answers in texts.values() for text in answers]
    elif name == "probes":
        texts = [text for wordings in texts.values() for text in wordings]
    form = "question" if name in (*ASKING, "probes") else "scale" if name in CONFIRMING else "statement"

    assert [(text, guard.lint(text, form)) for text in texts if guard.lint(text, form)] == []
    assert name.startswith("label_") or name == "reader" or len(texts) >= 2


def broken(change) -> tuple[tuple[str, str], ...]:
    data = copy.deepcopy(SHIPPED["lost-to-competitor"])
    change(data)
    with pytest.raises(paige.GuideError) as raised:
        paige.load_guide(data)
    return raised.value.places


def wording(data, topic="trigger"):
    return data["languages"]["en"]["topics"][topic]


@pytest.mark.parametrize(
    ("change", "place", "what"),
    [
        (lambda d: d.pop("topics"), "topics", "is missing"),
        (lambda d: d.update(colour="red"), "colour", "is not known here"),
        (lambda d: d["topics"][2].update(must_hve=True), "topics[2].must_hve", "did you mean must_have?"),
        (lambda d: d["topics"][1]["slots"][0].update(kind="number"), "topics[1].slots[0].kind", "must be one of text"),
        (lambda d: d["topics"][3].update(priority=9), "topics[3].priority", "9"),
        (lambda d: d["topics"][0].update(max_probes=3), "topics[0].max_probes", "main driver"),
        (lambda d: d["topics"][1].update(id="trigger"), "topics[1].id", "used twice"),
        (lambda d: d["topics"][1].update(driver=True), "topics", "only one topic"),
        (lambda d: d["topics"][6]["branch"][0].update(skip=["nowhere"]), "topics[6].branch[0].skip[0]", "nowhere"),
        (lambda d: d["topics"][6]["branch"][0].update(slot="nope"), "topics[6].branch[0].slot", "not a slot"),
        (lambda d: d.update(minutes="ten"), "minutes", "must be integer"),
        (lambda d: d.update(slug="Not A Slug"), "slug", "must match"),
        (lambda d: d.update(language="fr"), "language", "no such pack"),
        (lambda d: d.update(max_questions=7), "max_questions", "no room"),
        (lambda d: d["languages"].update(xx=d["languages"]["en"]), "languages.xx", "not a language"),
        (lambda d: wording(d)["main"].__setitem__(0, ""), "languages.en.topics.trigger.main[0]", "is empty"),
        (lambda d: wording(d)["main"].__setitem__(0, "  "), "languages.en.topics.trigger.main[0]", "is empty"),
        (lambda d: wording(d)["main"].__setitem__(1, 7), "languages.en.topics.trigger.main[1]", "must be string"),
        (lambda d: wording(d)["main"].pop(), "languages.en.topics.trigger.main", "needs at least 3"),
        (lambda d: wording(d)["main"].__setitem__(0, "What, {vendr}?"), "languages.en.topics.trigger.main[0]", "did you mean vendor?"),
        (lambda d: wording(d)["main"].__setitem__(0, "What {?"), "languages.en.topics.trigger.main[0]", "brace"),
        (lambda d: wording(d)["main"].__setitem__(0, "Why “{their_words}”?"), "languages.en.topics.trigger.main[0]", "only echo"),
        (lambda d: wording(d)["probes"]["echo"].__setitem__(0, "What then?"), "languages.en.topics.trigger.probes.echo[0]", "must hold"),
        (lambda d: wording(d)["probes"]["episode"].__delitem__(slice(1, 9)), "languages.en.topics.trigger.probes.episode", "at least 2"),
        (lambda d: wording(d)["slots"].update(moon={}), "languages.en.topics.trigger.slots.moon", "not a slot"),
        (lambda d: wording(d, "verdict")["slots"]["weight"].pop("choices"), "languages.en.topics.verdict.slots.weight.choices", "is missing"),
        (lambda d: d["languages"]["en"]["topics"].pop("price"), "languages.en.topics.price", "is missing"),
        (lambda d: d["languages"]["en"]["topics"].update(moon=wording(d)), "languages.en.topics.moon", "not a topic"),
        (lambda d: d["languages"]["en"].update(opening=["Hi {first_name}"]), "languages.en.opening", "works without"),
        (lambda d: d["languages"]["en"].update(faq={"lenth": ["x"]}), "languages.en.faq.lenth", "did you mean length?"),
    ],
)  # fmt: skip
def test_a_fault_is_named_by_its_place(change, place, what):
    told = dict(broken(change))

    assert place in told
    assert what in told[place]


def test_every_fault_is_told_at_once_and_as_an_error_of_the_caller():
    def change(data):
        data["topics"][0]["priority"] = 0
        data["topics"][1]["order_group"] = "first"
        data.pop("name")

    places = broken(change)
    error = paige.GuideError(places)

    assert {place for place, _ in places} == {"topics[0].priority", "topics[1].order_group", "name"}
    assert isinstance(error, BadRequest)
    assert "topics[0].priority: " in error.message
    assert error.fields == places


def test_a_syntax_fault_is_named_by_line_and_column():
    with pytest.raises(paige.GuideError) as raised:
        paige.load_guide_text("name: x\ntopics:\n  - id: [a\n")

    assert raised.value.places[0][0].startswith("line ")


@pytest.mark.parametrize("text", ["", "just words", "- a\n- b\n", "{}"])
def test_text_that_is_no_guide_is_refused(text):
    with pytest.raises(paige.GuideError):
        paige.load_guide_text(text)


def test_data_that_is_no_json_is_refused():
    with pytest.raises(paige.GuideError):
        paige.load_guide({**SHIPPED["won"], "name": {1, 2}})


def test_a_guide_of_ones_own_runs_and_its_craft_slips_are_told():
    data = {
        "schema": 1,
        "name": "Short",
        "slug": "short",
        "language": "en",
        "minutes": 3,
        "topics": [
            {
                "id": "start",
                "intent": "How it began.",
                "priority": 1,
                "order_group": 1,
                "must_have": True,
                "max_probes": 0,
            },
            {"id": "end", "intent": "How it ended.", "priority": 1, "order_group": 2, "must_have": True},
        ],
        "languages": {
            "en": {
                "opening": ["Hello, I'm {interviewer}, an AI interviewer working for {vendor}."],
                "catch_all": ["What else?"],
                "topics": {
                    "start": {
                        "label": "Start",
                        "main": [
                            "How did it begin?",
                            "Was it the price or was it the features?",
                            "Great, why was it so slow?",
                        ],
                        "simpler": ["What came first?"],
                    },
                    "end": {
                        "label": "End",
                        "main": ["How did it end?", "What was the end?", "Tell me the end."],
                        "simpler": ["What came last?"],
                    },
                },
            }
        },
    }
    guide = paige.load_guide(data)
    told = dict(paige.craft_warnings(guide))

    assert guide.topic("end").probe_types == ("episode", "echo", "contrast", "weight")
    assert set(told) == {"languages.en.topics.start.main[1]", "languages.en.topics.start.main[2]"}


def test_an_unknown_language_falls_back_to_the_guides_own():
    assert LOST.pack("fr").language == "en"
    assert LOST.pack("en-GB").language == "en"


GOOD = """
What was going on that made you start looking?
Who had a say in the decision?
When you compared options, what did you look at most closely?
Which options made it to serious consideration?
Walk me through how it came down to the final choice.
How did Acme compare with the option you chose?
How did cost come into it?
How was it to work with Acme's team during the process?
What would have had to be different for you to choose otherwise?
What should I have asked that I didn't?
Take me to a moment when that showed up.
You said “it was great, right?”. What did that look like for your team?
How did the other options handle that?
What led to that?
Tell me about the meeting when it was settled.
What, if anything, gave you pause about Acme?
Thank you. Now to the decision. Tell me how it was made in the end.
Which part of the cost mattered?
What worked less well with Acme?
In your own words, what happened next?
What has to happen in the first three months for this to feel right?
How long had that been going on?
Under what conditions would you have decided differently?
Which of those would have ruled an option out on its own?
What did people at your company say about the cost?
""".strip().splitlines()

BAD = {
    "Was it price or was it the features?": "either/or",
    "Which mattered more, the price or the support?": "either/or",
    "What did you like and how did you decide?": "one question",
    "What happened? Who was there?": "one question",
    "Why was the demo so bad?": "leading",
    "It was too expensive, right?": "leading",
    "So you felt the price was too high. What then?": "leading",
    "Obviously price mattered, so how much?": "leading",
    "Would earlier pricing transparency have changed the outcome?": "leading",
    "Wouldn't you say it was slow?": "leading",
    "Did you like the demo?": "closed",
    "Was the team responsive?": "closed",
    "Thanks. Could you say more?": "closed",
    "Great answer! What else?": "praise",
    "That's really interesting. What happened then?": "praise",
    "That makes sense. What led to that?": "praise",
    "I agree. What else came up?": "praise",
    "We have since fixed that. What else?": "selling",
    "What if we offered a discount?": "selling",
    "Our new product is faster. What would you need?": "selling",
    "What made you reconsider?": "selling",
    "Who was the champion?": "jargon",
    "What were your main pain points?": "jargon",
    "What would **you** change?": "markup",
    "See https://acme.example. What do you think?": "markup",
    "Interviewer: What happened next?": "markup",
    "- What happened next?": "markup",
    "The interview is complete. What else?": "ending",
    "What " + "happened and then " * 20 + "?": "length",
    "…": "empty",
}


@pytest.mark.parametrize("text", GOOD)
def test_a_good_question_passes(text):
    assert guard.lint(text) == ()


@pytest.mark.parametrize(("text", "rule"), BAD.items())
def test_a_bad_question_is_caught(text, rule):
    assert rule in guard.lint(text)


def test_a_declared_scale_may_list_its_choices():
    text = "How much did that count in the end: decisive, one factor among several, or minor?"

    assert guard.lint(text, "scale") == ()
