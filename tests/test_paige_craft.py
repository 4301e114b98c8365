"""How messages read as a whole, and that each behaviour of docs/interview-behaviours.md names a test that there is."""

import re
import statistics
from pathlib import Path

import pytest

from tests.paige_talks import GUIDES, Talk, context, cooperative, own_words

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "interview-behaviours.md").read_text()
ROWS = re.findall(r"^\| (B\d\d) \| (.+) \| (.+) \|$", PAGE, re.MULTILINE)


def grade(text: str) -> float:
    """Flesch and Kincaid's reading grade, with groups of vowels for syllables."""
    words = re.findall(r"[A-Za-z']+", re.sub(r"\{\w+\}", "Acme", text))
    sentences = len(re.findall(r"[.!?:]+(?:\s|$)", text)) or 1
    syllables = sum(len(re.findall(r"[aeiouy]+", word.lower().removesuffix("e"))) or 1 for word in words)
    return 0.39 * len(words) / sentences + 11.8 * syllables / len(words) - 15.59


@pytest.mark.parametrize("guide", GUIDES)
def test_questions_are_easily_read(guide):
    topics = guide.packs["en"].topics.values()
    questions = [text for words in topics for text in (*words.main, *words.simpler)]

    assert statistics.mean(grade(text) for text in questions) <= 7
    assert statistics.quantiles([grade(text) for text in questions], n=20)[-1] <= 12


@pytest.mark.parametrize("guide", GUIDES)
def test_no_question_of_ours_asks_a_bare_why(guide):
    for words in guide.packs["en"].topics.values():
        parts = (*words.main, *words.simpler, *(text for texts in words.probes.values() for text in texts))
        assert not [text for text in parts if re.search(r"\bwhy (?:did|was|were|is|are|do|does)\b", text.lower())]


def test_acknowledgements_stay_the_smaller_part():
    said = [text for guide in GUIDES for seed in range(20) for text in Talk(guide, seed=seed).run(cooperative).said[1:]]
    acknowledged = [text for text in said if text.startswith(tuple(GUIDES[0].packs["en"].phrases["acks"]))]

    assert 0 < len(acknowledged) <= 0.6 * len(said)


@pytest.mark.parametrize("guide", GUIDES)
def test_the_name_is_said_at_most_twice(guide):
    for seed in range(20):
        talk = Talk(guide, context(first_name="Ottilie"), seed).run(cooperative)
        assert own_words(" ".join(talk.said)).count("Ottilie") <= 2


def test_every_behaviour_is_in_the_table_once_and_in_order():
    assert [number for number, _, _ in ROWS] == [f"B{number:02}" for number in range(1, 51)]


@pytest.mark.parametrize(("number", "shown"), [(number, shown) for number, _, shown in ROWS])
def test_every_test_that_the_table_names_is_there(number, shown):
    named = re.findall(r"`(test_\w+)::(test_\w+)`", shown)

    assert named or "not built" in shown, number
    for module, name in named:
        source = (ROOT / "tests" / f"{module}.py").read_text()
        assert re.search(rf"^(?:async )?def {name}\(", source, re.MULTILINE), f"{module}::{name}"
