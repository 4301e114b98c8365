"""What is handed back in a contact's own words: a phrase that a person would quote, and never the middle of one."""

# ruff: noqa: E501  # what is said stands whole on one line

import re

import pytest

from afterword.paige import judge, quotes
from afterword.paige.languages import words_of
from evals import stories
from tests.paige_talks import GUIDES, STORY

# A phrase neither follows one of these nor ends in one: "our | side in the budget meeting".
LEANS = words_of(
    "a an the this these those my our your his her its their of in on at by for from with to into during under between too very so"
)
TOLD = [
    fact.text
    for kind in stories.known_types()
    for seed in range(1, 9)
    for knowledge in stories.plant(kind, seed, "Acme", layered=0.5).subjects
    for fact in knowledge.facts
]
CUES = {
    f"{guide.slug} {topic.id}": tuple(cue for slot in topic.slots for cue in guide.packs["en"].topics[topic.id].slot(slot.id).cues)
    for guide in GUIDES
    for topic in guide.topics
}  # fmt: skip


def neighbours(text: str, echo: str) -> tuple[str, str, str]:
    """(the word before it in its clause, its last word, the word after it in its clause); empty where there is none."""
    at = text.index(echo)
    before = re.search(r"(\S+) [“'\"]?$", text[:at])
    after = re.match(r" (\S+)", text[at + len(echo) :])
    return (
        judge.fold(before[1]) if before else "",
        judge.fold(echo.rsplit(maxsplit=1)[-1]),
        judge.fold(after[1]) if after else "",
    )


@pytest.mark.parametrize("topic", CUES)
def test_an_echo_is_a_phrase_and_not_the_middle_of_one(topic: str):
    for text in {*TOLD, *STORY.values()}:
        echo = quotes.echo(text, CUES[topic])
        if not echo:
            continue
        before, last, after = neighbours(text, echo)
        assert echo in text
        assert before not in LEANS, f"“{echo}” of “{text}”"
        assert not (after and last in LEANS), f"“{echo}” of “{text}”"
        assert len(echo.split()) <= 8


def test_enough_can_be_handed_back():
    every = tuple(cue for cues in CUES.values() for cue in cues)
    told = {*TOLD, *STORY.values()}
    assert sum(bool(quotes.echo(text, every)) for text in told) > 0.65 * len(told)


@pytest.mark.parametrize(
    ("text", "cue", "echo"),
    [
        ("It helped that we had somebody on our side in the budget meeting", "budget", "on our side in the budget meeting"),
        ("Mostly it came down to which of the two could show the sync working live", "sync", "the sync working live"),
        ("Their price was 40,000 euros", "price", "Their price was 40,000 euros"),
        ("What we wanted above all else was not the price but the support in our own language", "support", ""),
        ("We compared offers worth 40,000 euros", "euros", "We compared offers worth 40,000 euros"),
    ],
)  # fmt: skip
def test_where_an_echo_begins_and_ends(text: str, cue: str, echo: str):
    assert quotes.echo(text, (cue,)) == echo
