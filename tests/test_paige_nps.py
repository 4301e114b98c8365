"""The NPS guide: the score comes first and decides which topics follow."""

import pytest

from afterword import paige
from tests.paige_talks import GUIDES, Talk, context, cooperative, left_out_by_a_choice

NPS = next(guide for guide in GUIDES if guide.slug == "nps")
ALL = {"score", "experience", "effect"}
DETRACTOR, PASSIVE = {"expected", "change_first", "contact"}, {"lacking", "alternatives"}
PROMOTER = {"loss", "describe", "improvement"}


def scored(given: str) -> Talk:
    """An interview whose contact gives this as the score, and cooperates."""

    def reply(talk: Talk) -> tuple[str, str]:
        return ("answer", given) if talk.state.pending.topic == "score" else cooperative(talk)

    return Talk(NPS).run(reply)


def asked(talk: Talk) -> set[str]:
    return {topic.id for topic in talk.state.topics if topic.asked}


@pytest.mark.parametrize(
    ("score", "topics"),
    [
        *((str(score), DETRACTOR) for score in range(7)),
        ("7", PASSIVE),
        ("8", PASSIVE),
        ("9", PROMOTER),
        ("10", PROMOTER),
        ("10/10", PROMOTER),
        ("A 6, I'd say", DETRACTOR),
    ],
)
def test_the_score_decides_which_topics_follow(score: str, topics: set[str]):
    talk = scored(score)

    assert asked(talk) == ALL | topics
    assert talk.state.questions <= 8
    assert talk.state.ended_by == "finished"


@pytest.mark.parametrize("given", ["7/10", "7 out of 10", "a 7 of 10", "about 7/10"])
def test_a_score_out_of_ten_is_the_score(given: str):
    assert scored(given).state.scales[0] == ("score.score", "7")


@pytest.mark.parametrize("given", ["3", "10", "7 out of 10", "somewhere in the middle", "skip"])
def test_who_was_not_involved_is_asked_who_knows_right_after_the_score(given: str):
    talk = Talk(NPS)
    talk.answer(given)
    said = talk.answer("I wasn't involved")

    assert talk.state.pending.kind == "referral"
    assert "role" in said


@pytest.mark.parametrize("answer", ["I don't know", "I'd rather not say", "somewhere in the middle", "7 or 9", "skip"])
def test_without_a_score_the_middle_road_is_taken(answer: str):
    talk = scored(answer)

    assert asked(talk) == ALL | PASSIVE
    assert left_out_by_a_choice(talk) == DETRACTOR | PROMOTER
    assert not [said for said in talk.said if "{score}" in said or "You gave" in said]


def test_the_first_message_offers_the_whole_scale_and_the_second_names_the_choice():
    talk = Talk(NPS)
    assert talk.state.expects == "scale"
    assert talk.state.choices == tuple(str(number) for number in range(11))
    assert "from 0" in talk.said[0]

    assert "You gave 4." in talk.answer("4")
    assert talk.state.topic("score").status == "answered"


def test_a_question_about_the_scale_is_answered_with_the_scale_once_more():
    talk = Talk(NPS)
    said = talk.answer("What do you mean?")

    assert talk.state.expects == "scale"
    assert "10" in said
    assert said not in talk.said[0]


def test_progress_counts_only_the_topics_of_the_road_that_was_taken():
    talk = Talk(NPS)
    talk.answer("3")

    progress = paige.progress(NPS, talk.state)
    assert (progress.done, progress.total) == (1, len(ALL | DETRACTOR))


def test_a_score_in_the_notes_is_never_said_and_the_question_is_asked_all_the_same():
    talk = Talk(NPS, context(notes='{"nps_score": 3, "comment": "NPS: 3"}'))

    assert talk.state.expects == "scale"
    assert " 3" not in talk.said[0]
