"""What counts as told: a cue said in passing closes no topic, and "that was all" closes the question it answers."""

from dataclasses import replace

from afterword import paige
from afterword.paige import ledger
from afterword.paige.state import Evidence
from tests.paige_talks import Talk, context, cooperative

GUIDES = {slug: paige.load_guide(mapping) for slug, mapping in paige.shipped_guides()}
LOST, NPS = GUIDES["lost-to-competitor"], GUIDES["nps"]
PEOPLE = "Our CFO and the head of security were on the board that had to approve whatever came out of it."


def test_one_answer_in_passing_does_not_tell_a_whole_topic():
    talk = Talk(LOST)
    topic, words = LOST.topic("people"), LOST.pack("en").topics["people"]
    first = Evidence("people", "roles", 0, 0, len(PEOPLE), PEOPLE, 0.8, prompted=False)
    second = Evidence("people", "roles", 1, 0, len(PEOPLE), PEOPLE, 0.8, prompted=False)

    def told(*evidence: Evidence) -> bool:
        return ledger.volunteered(topic, words, replace(talk.state, evidence=evidence))

    assert not told(first)
    assert not told(first, first)
    assert told(first, second)


def test_a_must_have_is_asked_although_a_word_of_it_fell_before():
    talk = Talk(NPS, context())
    talk.do("answer", "4")
    talk.answer("I waited nine days for an answer about an invoice in May, and then it was the wrong one, so I called.")
    asked: list[str] = []
    for _ in range(12):
        if talk.state.phase != "asking":
            break
        asked.append(f"{talk.state.pending.kind}:{talk.state.pending.key}")
        talk.answer("Because the invoices came twice in June, we had to check 40 of them by hand, which took a week.")

    assert "slot:tried" in asked


def test_that_was_all_to_one_side_leaves_the_other_side_to_be_asked():
    talk = Talk(LOST)
    while talk.state.pending.topic != "comparison":
        talk.do(*cooperative(talk))
    talk.answer(
        "The screens took nine clicks for what Globex did in three, two hundred times a day in May, so we lost hours."
    )
    while talk.state.pending.kind == "probe":
        talk.answer("Our shift lead gave up on yours in May, because Globex took her forty seconds.")
    assert talk.state.pending.key in ("weaker", "stronger")
    first = talk.state.pending.key

    talk.answer("I have nothing to add on that.")

    assert {first, talk.state.pending.key} == {"weaker", "stronger"}
