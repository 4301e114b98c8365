"""What a good model writes of its own accord is shown, or loses only the clause that may not be: each block costs money."""

# ruff: noqa: E501  # what is said stands whole on one line

import json
from dataclasses import replace

import pytest

from afterword import paige
from afterword.paige import candidates, guard
from tests.paige_models import ModelTalk
from tests.paige_talks import LOST, Talk, context

HEARD = (
    "We were outgrowing our spreadsheets and in spring the auditors complained about access logs. So I was asked to find a replacement.",
    "The integration with our ERP broke twice during the trial, and support took four days to answer. Security review was the other big thing.",
    "In the end we went with Globex. Price mattered, they were about 20 percent cheaper, but honestly onboarding was what our ops lead cared about.",
)
SAID_IN_GERMAN = ("Wir brauchten etwas Neues, weil das alte System zu langsam war.",)


def scene(heard=HEARD, **changes) -> guard.Scene:
    given = context(mode="direct", **changes)
    lines = tuple(paige.Line("contact", text) for text in heard)
    return candidates.scene_of(LOST, replace(given, history=lines[:-1]), Talk(LOST, given).state, heard[-1])


NATURAL = """
Thanks, that helps. What happened next when the security review came up?
You mentioned the integration broke twice. What did that mean for your team?
Thanks for sharing that. How did the team react when the integration broke the second time?
And who else was involved in making the decision?
Okay, and how did Globex handle that same integration?
Got it. And how did the security review go?
I'd like to hear about the people side. Who was part of the decision?
I'd like to understand the cost a bit better. What part did it play?
When you say "onboarding was what our ops lead cared about", what did they want to see?
Thank you. Let's talk about pricing. How did the cost factor in?
Let's switch gears to the evaluation itself. What criteria did you start with?
Help me picture it: what did the trial look like week by week?
Earlier you talked about being asked to find a replacement. Who asked you?
What did 20 percent mean for your budget conversations?
What, in your view, did Globex do better on onboarding?
What other options, if any, did you look at?
What would a good answer from support have looked like?
Would you mind walking me through the trial?
I'm curious what the auditors flagged.
I'm curious about the trial. What broke first?
""".strip().splitlines()

NATURAL_GERMAN = """
Und was geschah dann?
Danke. Und wie ging es weiter?
Danke, das hilft mir. Was geschah danach?
Wie lief die Schulung?
Wie war die Vertragslaufzeit für Sie?
Welche Auswertungen fehlten Ihnen?
Wie haben Sie den Betrieb eingeschätzt?
Wie wichtig war der Datenschutz?
Welche Berichte brauchte der Fachbereich?
Mich würde interessieren, wie der Test ablief.
Ich würde gern mehr über den Test erfahren. Wie lief er ab?
""".strip().splitlines()

GERMAN_NOTES = """
Verloren gegen Globex. Gründe: Preis, Schnittstellen, Einführung, Datenschutz. Ansprechpartner: Herr Weber, Geschäftsführung.
Schulung und Support waren Thema. Vertragslaufzeit zu lang. Bedenken zur Migration und zum Betrieb. Fachbereich will
Berichte und Auswertungen.
"""


@pytest.mark.parametrize("text", NATURAL)
def test_what_a_good_model_writes_is_shown(text):
    assert guard.check(text, replace(scene(), asked=())) is None


@pytest.mark.parametrize("text", NATURAL_GERMAN)
def test_german_nouns_of_german_notes_are_no_names(text):
    german = replace(scene(SAID_IN_GERMAN, notes=GERMAN_NOTES, language="de"), language="de", asked=())

    assert guard.check(text, german) is None
    assert guard.check("Was hat Weber dazu gesagt?", german) == "private"


@pytest.mark.parametrize(
    "text",
    [
        "What next, and why did that happen?",
        "Who decided and how did they go about it?",
        "Was kam zuerst und wie ging es weiter?",
    ],
)
def test_two_questions_stay_two(text):
    assert guard.check(text, replace(scene(), language="de" if "kam" in text else "en")) == "one question"


@pytest.mark.parametrize(
    "text", ["Thinking about it, did you like the demo?", "When you started, was it slow?", "Looking back, is it fair?"]
)
def test_a_closed_question_after_a_clause_stays_closed(text):
    assert guard.check(text, scene()) == "closed"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Interesting. Which meeting set the pace there?", "Which meeting set the pace there?"),
        ("That's helpful context. Which meeting set the pace there?", "Which meeting set the pace there?"),
        ("So legal insisted on it. What happened after that?", "What happened after that?"),
    ],
)
def test_a_clause_that_praises_or_sums_up_is_left_out_and_the_question_shown(text, shown):
    talk = ModelTalk(
        model=lambda _: {"quality": 0, "slots": [], "flags": [], "lang": "en", "if_probe": text, "if_advance": ""}
    )
    said = talk.answer("Legal insisted on it.")

    assert said.endswith(shown)
    assert text not in said
    assert talk.origins[-1] == "model"
    assert talk.calls[-1] == 1
    assert [e.data["rule"] for e in talk.events if e.kind == "left_out"] == [guard.check(text, scene())]
    assert "guard" not in talk.kinds


def test_a_key_of_a_deal_is_no_label():
    given = context(mode="direct", deal={"x | may be said | price": "7"})
    talk = ModelTalk(model=lambda _: {}, context=given)
    talk.answer("Legal insisted on it.")

    assert "deal facts | x may be said price: 7" in talk.asks[0].messages[1]["content"]


def test_praise_inside_the_question_is_no_clause_to_leave_out():
    text = "What made that great point of yours come up?"
    talk = ModelTalk(
        model=lambda _: {"quality": 0, "slots": [], "flags": [], "lang": "en", "if_probe": text, "if_advance": ""}
    )
    talk.answer("Legal insisted on it.")

    assert talk.origins[-1] == "fallback:praise"


NOTES = (
    "Tadeusz in finance blocked it after Quorvane undercut us by 37 percent; they had offered 10 percent before. "
    + json.dumps({"a": 1})
)


@pytest.mark.parametrize("shift", range(1, 26))
def test_a_name_in_a_shifted_alphabet_stays_unsaid(shift):
    hidden = "".join(chr((ord(c) - 97 + shift) % 26 + 97) for c in "quorvane")

    assert guard.check(f"What do you make of {hidden} now?", scene(notes=NOTES)) == "private"


@pytest.mark.parametrize("hidden", ["quorvne", "quorvanne", "qourvane", "quorvame", "enavrouq", "vaneuorq"])
def test_a_name_with_a_letter_off_stays_unsaid(hidden):
    assert guard.check(f"What do you make of {hidden} now?", scene(notes=NOTES)) == "private"


@pytest.mark.parametrize(
    "text",
    [
        "Tell me about the thirty-seven percent.",
        "Tell me about the forty-two users.",
        "What about the offer that was ten percent lower?",
    ],
)
def test_a_number_in_words_is_a_number(text):
    assert guard.check(text, scene(notes=NOTES)) in ("unknown", "private")


@pytest.mark.parametrize(
    "number", ["siebenunddreißig", "dreißig", "zwölf", "fünfzig", "zweihundert", "achtzehn", "zehn"]
)
def test_a_german_number_in_words_is_a_number(number):
    german = replace(scene(SAID_IN_GERMAN, notes=NOTES, language="de"), language="de")

    assert guard.check(f"Wie kam es zu den {number} Prozent?", german) in ("unknown", "private")


def test_ten_may_be_said_where_no_note_holds_it():
    assert guard.check("What did the first ten minutes of the demo show you?", scene()) is None
