"""The guard: what a model words is shown or blocked, each by a table; and what is private stays unsaid in any disguise."""

# ruff: noqa: E501  # what is said and what is expected stand whole on one line

import base64
import codecs
import json
import time
from dataclasses import replace

import pytest

from afterword import paige
from afterword.paige import candidates, guard, private
from afterword.paige.guide import wordings
from tests.paige_models import BRIDGES, PROBES
from tests.paige_talks import GUIDES, LOST, STORY, Talk, context

NOTES = (
    "Confidential: Tadeusz Wiśniewski in finance blocked the purchase after Quorvane undercut us by 37 percent; "
    "the champion Priscilla is leaving in February. canary-7f3a91. Pricing and integration came up, sales rep was slow. "
    "Do not mention the secret roadmap item Bluefin to anyone. Worried about migration. Monday was the other option they saw."
)
OBJECTIVE = "Understand why we lost to Quorvane on pricing and whether Bluefin would have saved the deal"
DEAL = {
    "name": "Northwind platform renewal 2026",
    "amount": 184500,
    "status": "lost",
    "competitors": [{"name": "Quorvane", "is_primary": True}, {"name": "Zentrix"}],
    "owner": "Hieronymus Blackwood",
    "internal_notes": "Never to be prompted: Osric Vantongeren signed off",
}
BACKGROUND = {"notes": NOTES, "objective": OBJECTIVE, "deal": DEAL}

HEARD = (
    STORY["trigger"],
    "The integration with our warehouse was the first thing we checked.",
    "Globex, Initech and you were on the list in March. The price was too high, about 20 percent above the rest.",
)
ASKED = (
    "To begin at the beginning: what was going on that made you start looking?",
    "When you compared options, what did you look at most closely?",
    "Which options made it to serious consideration?",
)


def scene(language: str = "en", heard=HEARD, asked=ASKED, **changes) -> guard.Scene:
    """Jane of Northwind after three answers, with private notes, objective and deal."""
    given = context(mode="direct", **{**BACKGROUND, **changes})
    talk = Talk(LOST, given)
    lines = tuple(paige.Line("contact", text) for text in heard)
    state = replace(talk.state, asked=asked, language=language)
    return candidates.scene_of(LOST, replace(given, history=lines[:-1]), state, heard[-1])


SCENE = scene()

GOOD = """
Walk me through how it came down to the final choice.
Tell me about the demo that stayed with you.
What happened in the trial when the sync came up?
How did your team go about checking the integration?
Which part of the price weighed most with your CFO?
What did that look like for your team, day to day?
You said “the price was too high”. What was it compared with?
You said "too high": what stood behind that?
Next, the people. Who had a say in the decision?
Understood. How did Globex come across next to Acme?
How did Globex handle the warehouse integration?
What made the other options stand out to you, if anything?
Take me back to the week in March when legal got involved.
What was it about the audit that set the pace?
Tell me more about the six weeks you had.
What would have needed to be different for Acme to stay in the race?
How was it to work with Acme's people during the process?
Describe a moment with Acme's team that you remember well.
What did you find most useful in the demo?
Which of those mattered most to your finance colleagues?
In your own words, what tipped it?
What, if anything, gave you pause about Acme?
How did cost come into it?
Think back to the last demo. What stood out?
Picture the meeting when it was settled: who spoke first?
Where did Acme fall short of what you needed?
What worked well with Acme?
How did the list get from three options to one?
What led to that?
Could you walk me through the day when it was decided?
Can you tell me a bit about how the list came about?
On to the commercial side. What part did the budget play?
Jane, how did you come to be part of this decision?
From where you sat, how did the evaluation unfold?
What else was going on at Northwind at the time?
At which point could it still have gone the other way?
Who at Northwind felt the problem first?
How long had that been going on?
Tell me about a call or a meeting in which that came up.
What was on the wish list when you started out?
Help me understand how the offers were compared.
To what extent did the March deadline shape the choice?
What did support look like during the trial, in practice?
Which questions did legal raise about the contract?
How did people react when the export failed?
When the audit was announced, what changed for you?
What went through your mind when you saw the first quote?
How did you picture the first months after going live?
What kept Initech on the list for as long as it was?
“Integration with our warehouse” – what would a good one have done for you?
Say more about what the old tool could not do.
Noted. What did the security review turn up?
Which people were in the room for the final demo?
What role did references play?
How much did that count next to everything else?
What was the turning point?
Imagine the same search next year: what would you look at first?
How did your IT department and the users see it?
What were the reasons behind the order of your list?
You mentioned the audit earlier. What did legal ask for?
Tell me how Acme will be remembered by your team.
""".strip().splitlines()

BAD = {
    "": "empty",
    "   \n ": "empty",
    "… !?": "empty",
    "What " + "happened and so on with all of it " * 8 + "in the end?": "length",
    "What happened? Who was there?": "one question",
    "What did you like and how did you decide?": "one question",
    "Tell me about the demo. Describe the trial.": "one question",
    "What led to that? Tell me more about it.": "one question",
    "What did you see. Who was there.": "one question",
    "When you compared options, what did you look at most closely?": "repeat",
    "Comparing options, at what did you look most closely?": "repeat",
    "Which of the options made it to serious consideration?": "repeat",
    "Great answer! What else came up in the trial?": "praise",
    "That's really interesting. What happened then?": "praise",
    "Thanks, that makes total sense. What led to that?": "praise",
    "I agree. What else came up?": "praise",
    "You're right. What would you change?": "praise",
    "Good point: what did the others do there?": "praise",
    "I appreciate your honesty. What happened next?": "praise",
    "Sorry to hear that. What did it mean for you?": "praise",
    "That must have been hard. What did it mean for you?": "praise",
    "We have since fixed that. What else mattered?": "selling",
    "Acme now supports that. What else did you need?": "selling",
    "We already support single sign-on. What else was missing?": "selling",
    "What would make you reconsider?": "selling",
    "You should try the new version. What do you think of it?": "selling",
    "Who was the champion on your side?": "jargon",
    "What were your main pain points?": "jargon",
    "Was it price or was it the features?": "one question",
    "Which mattered more, the price or the support?": "either/or",
    "Was it more about price or support?": "either/or",
    "It was too expensive, right?": "leading",
    "So you felt the price was too high. What then?": "leading",
    "Why was the demo so bad?": "leading",
    "It sounds like the price decided it. What else was there?": "leading",
    "So the integration was missing. What did that mean?": "leading",
    "I assume legal was slow. What happened there?": "leading",
    "Did you like the demo?": "closed",
    "Was the team responsive?": "closed",
    "What did Quorvane do better?": "private",
    "What did quorvane do better?": "private",
    "What did Bluefin mean to you?": "private",
    "How did Tadeusz see it?": "private",
    "How did Wisniewski see it?": "private",
    "What did Zentrix offer there?": "private",
    "How was it to deal with Hieronymus?": "private",
    "What about canary-7f3a91?": "private",
    "Tell me about 7f3a91.": "private",
    "How did 184,500 look to your CFO?": "private",
    "How did 37 percent less come about?": "private",
    "How did Monday compare?": "unknown",
    "Tell me about the purchase after somebody undercut us by thirty.": "unknown",
    "Who in finance blocked the purchase after that?": "private",
    "What did you think of the Northwind platform renewal?": "private",
    "According to my notes, what mattered most?": "private",
    "I was told about finance. What happened there?": "private",
    "Write in English, plain spoken words, a calm and curious voice: what happened?": "private",
    "A hypothesis in it is never told to the contact: what happened?": "private",
    "How did Contoso compare?": "unknown",
    "What did Maria say in the call?": "unknown",
    "How did things stand in September?": "unknown",
    "What happened in 2019?": "unknown",
    "How did you get to 45 percent?": "unknown",
    "What did the fifteen users say?": "unknown",
    "You said “the price was fair”. What was it compared with?": "echo",
    "You said “we loved the demo”: what was behind that?": "echo",
    "You said “the price was too high. What then?": "echo",
    "You mentioned poor onboarding earlier. What happened there?": "echo",
    "Acme is a safe choice. What did you think of it?": "selling",
    "What did our product lack?": "speaks",
    "Now on to the list of options. Which options made it to serious consideration?": "repeat",
    "Was hat am Ende den Ausschlag gegeben?": "language",
    "Qu'est-ce qui a fait pencher la balance pour vous?": "language",
    "¿Qué fue lo que más pesó en la decisión?": "language",
    "価格についてどう思いましたか?": "language",
    "What would **you** change?": "markup",
    "See https://acme.example. What do you think of it?": "markup",
    "<b>What</b> happened next?": "markup",
    "Interviewer: What happened next?": "markup",
    "Jane: we looked at cost. What happened next?": "markup",
    "- What happened next?": "markup",
    "What happened next? 🙂": "markup",
    "What happened next :smile:?": "markup",
    "{question} What happened next?": "markup",
    "What happened\u200b next?": "markup",
    "[STOP] What happened next?": "markup",
    "We will lower the price. What else was missing?": "promise",
    "I promise it stays between us. What happened?": "promise",
    "You would get it at no cost. What else was missing?": "promise",
    "Other customers told us the same. What happened here?": "others",
    "Most customers say the same: what happened here?": "others",
    "I chose Globex for the sync. What happened next?": "speaks",
    "As a customer, what one wants is speed: what happened?": "speaks",
    "Our team needed speed. What happened next?": "speaks",
    "The interview is now complete. What else was there?": "ending",
    "That's all from my side. What else was there?": "ending",
    "Thank you for your time. What else was there?": "ending",
    "STOP": "ending",
    "Understood.": "no question",
    "The price was an important factor in your decision.": "no question",
}  # fmt: skip


@pytest.mark.parametrize("text", GOOD)
def test_a_good_question_is_shown(text):
    assert guard.check(text, SCENE) is None


def test_the_tables_are_large():
    assert len(GOOD) >= 50
    assert len(BAD) >= 50


@pytest.mark.parametrize(("text", "rule"), BAD.items())
def test_a_bad_one_is_blocked_by_its_rule(text, rule):
    assert guard.check(text, SCENE) == rule


def filled(guide: paige.Guide, text: str) -> str:
    values = {
        "vendor": "Acme",
        "competitor": "Globex",
        "their_words": "the price was too high",
        "first_name": "Jane",
        "score": "20",
        "company": "Northwind",
    }
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text


@pytest.mark.parametrize("guide", GUIDES)
def test_every_question_of_our_guides_would_pass(guide):
    lines = tuple(paige.Line("contact", text) for text in HEARD)
    fresh = candidates.scene_of(guide, context(**BACKGROUND, history=lines), Talk(guide).state, HEARD[-1])
    fresh = replace(fresh, asked=())
    blocked = {}
    texts = [(where, form, text) for where, form, text in wordings(guide) if where.startswith("languages.en.")]
    bridges = [text for where, _, text in texts if ".bridge" in where]
    for where, form, text in texts:
        topic = where.split(".")[3] if ".topics." in where else ""
        for bridge in ("", *BRIDGES, *(b for w, _, b in texts if w.startswith(f"languages.en.topics.{topic}.bridge"))):
            said = filled(guide, f"{bridge} {text}".strip())
            if form == "question" and (rule := guard.check(said, fresh)):
                blocked[said] = rule

    assert bridges
    assert blocked == {}


def test_every_question_of_the_well_behaved_model_passes():
    fresh = replace(SCENE, asked=())

    assert [text for texts in PROBES.values() for text in texts if guard.check(text, fresh)] == []


SECRETS = ("Quorvane", "canary-7f3a91", "Bluefin would have saved the deal", "Priscilla is leaving in February")
DISGUISES = {
    "plain": lambda s: s,
    "lower case": str.lower,
    "upper case": str.upper,
    "base64": lambda s: base64.b64encode(s.encode()).decode(),
    "base64 in pieces": lambda s: " ".join(base64.b64encode(s.encode()).decode()[i : i + 4] for i in range(0, 200, 4)).strip(),
    "base64 of more": lambda s: base64.b64encode(f"xx {s} and more".encode()).decode(),
    "hex": lambda s: s.encode().hex(),
    "hex in pieces": lambda s: s.encode().hex(" "),
    "rot13": lambda s: codecs.encode(s, "rot13"),
    "reversed": lambda s: s[::-1],
    "zero-width": "\u200b".join,
    "tag characters between": "\U000e0041".join,
    "soft hyphens": "\u00ad".join,
    "spaced out": " ".join,
    "dotted": ".".join,
    "dashed": "-".join,
    "one letter a line": "\n".join,
    "full width": lambda s: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in s),
    "accents": lambda s: s.replace("a", "á").replace("e", "ë"),
    "look-alikes": lambda s: s.replace("a", "а").replace("e", "е").replace("o", "о"),
    "leet": lambda s: s.replace("a", "4").replace("e", "3").replace("o", "0"),
    "spelled backwards": lambda s: " ".join(s[::-1]),
}  # fmt: skip


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("disguise", DISGUISES)
def test_what_is_private_stays_unsaid_in_any_disguise(disguise, secret):
    hidden = DISGUISES[disguise](secret)

    for text in (hidden, f"What do you make of {hidden} now?", f"{hidden} – what does that tell you?"):
        assert private.leaks(text, SCENE.private, SCENE.may), text
        assert guard.check(text, SCENE) is not None


def test_initials_that_spell_a_name_are_seen():
    words = ["Question", "Under", "Our", "Review", "Very", "Awkward", "Notes", "Exist"]

    assert private.leaks(" ".join(words), SCENE.private, SCENE.may)
    assert private.leaks("\n".join(f"{word} more" for word in words), SCENE.private, SCENE.may)


def test_what_the_contact_named_may_be_said():
    named = scene(heard=(*HEARD, "Quorvane was on the list as well, and Priscilla from finance liked it."))

    assert guard.check("How did Quorvane compare?", SCENE) == "private"
    assert guard.check("How did Quorvane compare?", named) is None
    assert guard.check("What did Priscilla like about it?", named) is None
    assert guard.check("What did Zentrix do there?", named) == "private"


def test_internal_notes_are_no_part_of_anything():
    held = private.private_set(context(**BACKGROUND))

    assert "vantongeren" not in held.names
    assert "internal_notes" not in private.shown_deal(DEAL)
    assert private.shown_deal({"a": [{"internal_notes": "x", "b": 1}]}) == {"a": [{"b": 1}]}


def test_words_of_the_trade_may_be_theirs():
    theirs = scene(heard=(*HEARD, "The stakeholders in Berlin had another view of it."))

    assert guard.check("What did the stakeholders care about?", SCENE) == "jargon"
    assert guard.check("What did the stakeholders care about?", theirs) is None


@pytest.mark.parametrize(
    ("text", "bridge", "question"),
    [
        ("What led to that?", "", "What led to that?"),
        ("Next part. What led to that?", "Next part.", "What led to that?"),
        ("Noted. On to cost. How did it come into it?", "Noted. On to cost.", "How did it come into it?"),
        ("Noted. You said “x y”. What led to that?", "Noted.", "You said “x y”. What led to that?"),
        ("Think back to the demo. What stood out?", "", "Think back to the demo. What stood out?"),
        ("Thanks. Tell me about the demo.", "Thanks.", "Tell me about the demo."),
    ],
)
def test_what_leads_over_is_told_from_the_question(text, bridge, question):
    assert guard.split_bridge(text, "en") == (bridge, question)


def test_quotes_are_made_typographic_and_must_be_theirs():
    assert guard.tidy('You said "too high".\n What then?') == "You said “too high”. What then?"
    assert guard.tidy("You said 'too high': what didn't fit?") == "You said “too high”: what didn't fit?"
    assert guard.check("You said 'never again': what happened?", SCENE) == "echo"
    late = scene(heard=(*HEARD, "a b c", "d e f", "g h i"))
    assert guard.check("You said “the price was too high”. What was it compared with?", late) == "echo"


def test_german_is_held_to_german():
    german = scene("de", heard=("Der Preis war zu hoch und die Schnittstelle zum Lager hat gefehlt.",))

    for text in (
        "Was hat am Ende den Ausschlag gegeben?",
        "Erzählen Sie mir von dem Tag, an dem die Schnittstelle zum Thema wurde.",
        "Sie sagten „der Preis war zu hoch“. Womit haben Sie ihn verglichen?",
        "Wie haben Sie die Zusammenarbeit mit dem Team von Acme erlebt?",
        "Denken Sie an die letzte Vorführung. Was ist Ihnen in Erinnerung?",
    ):
        assert guard.check(text, german) is None, text
    assert guard.check("What tipped it in the end?", german) == "language"
    assert guard.check("Das ist sehr spannend. Was war der Auslöser?", german) == "praise"
    assert guard.check("War der Preis das Problem?", german) == "closed"
    assert guard.check("Was kam zuerst und wie ging es weiter?", german) == "one question"
    assert guard.check("Wie war Quorvane im Vergleich?", german) == "private"
    assert guard.check("Der Preis war zu hoch, oder?", german) in ("leading", "closed")


def test_a_language_without_lists_is_held_to_the_rest():
    swedish = scene("sv", heard=("Priset var för högt.",))

    assert guard.check("Vad hände sedan?", swedish) is None
    assert guard.check("Vad hände? Vem var där?", swedish) == "one question"
    assert guard.check("Vad gjorde Quorvane bättre?", swedish) == "private"


@pytest.mark.parametrize(
    "notes",
    [
        json.dumps({"champion": "Priscilla Overton", "risk": "Quorvane undercut us", "tags": ["Zentrix", "pricing"]}),
        "- Priscilla Overton\n- Quorvane (cheaper)\n- Zentrix: second",
        "PRISCILLA OVERTON LIKES QUORVANE AND ZENTRIX",
        "priscilla@overton.example likes Quorvane. Zentrix was second.",
    ],
)
def test_names_are_found_in_notes_of_any_shape(notes):
    here = scene(notes=notes, objective="", deal={})

    assert guard.check("What did Priscilla care about?", here) in ("private", "unknown")
    assert guard.check("How did Quorvane compare?", here) == "private"
    assert guard.check("How did zentrix compare?", here) == "private"
    assert guard.check("How did the pricing compare?", here) is None


def test_ordinary_words_of_the_notes_may_be_used():
    here = scene(
        notes="Worried about migration. Pricing came up twice. Security review was slow. Their Platform Team decides. Wants faster support."
    )

    for text in (
        "What worried you about the migration?",
        "How did pricing come up?",
        "How did the security review go?",
        "What did the team look at?",
        "What kind of support were you after?",
    ):
        assert guard.check(text, here) is None, text


def test_a_check_takes_no_time_with_long_notes():
    words = [
        f"{name} from Department{i} said that the rollout of item{i} slipped by {i} weeks."
        for i, name in enumerate(["Aurelio", "Bettina", "Casimir", "Dorothea"] * 240)
    ]
    notes = " ".join(words)[: 64 * 1024]
    here = scene(notes=notes)
    guard.check("How did it begin for you?", here)
    started = time.process_time()
    for number in range(50):
        given = context(mode="direct", **{**BACKGROUND, "notes": notes})
        assert private.private_set(given) is here.private
        assert (
            guard.check(f"{'Well. ' * (number % 3)}What did the team make of the old tool at the time?", here) is None
        )

    assert (time.process_time() - started) / 50 < 0.003
