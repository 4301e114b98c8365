"""When the script digs deeper: 68 answers labelled by hand, each given to the main question of a topic."""

# ruff: noqa: E501  # what is said and what is expected stand whole on one line

import pytest

from afterword.paige import judge
from tests.paige_talks import LOST, Talk, cooperative

VAGUE = [
    ("trigger", "We needed something better"),
    ("trigger", "The old one was not great anymore"),
    ("trigger", "It was just time for a change, I guess"),
    ("trigger", "Management wanted a new solution"),
    ("criteria", "Price and features mostly"),
    ("criteria", "The usual things you look at in such a tool"),
    ("criteria", "Ease of use, support, cost"),
    ("criteria", "We looked at everything really, it had to be a good overall fit for the business"),
    ("criteria", "Quality"),
    ("criteria", "Integration was important to us, and security as well"),
    ("people", "Several people"),
    ("people", "Everyone had a say more or less"),
    ("options", "A few others"),
    ("options", "There were several options on the market that we considered"),
    ("options", "Some of the bigger ones, I think"),
    ("verdict", "They were better"),
    ("verdict", "The price was too high"),
    ("verdict", "It was a team decision in the end and everybody felt good about it"),
    ("verdict", "In the end the other one just felt like the right choice for us"),
    ("verdict", "A mix of things, price, features and so on"),
    ("verdict", "Honestly it was mostly the overall package"),
    ("comparison", "Pretty similar overall"),
    ("comparison", "You were fine, they were a bit better in most ways"),
    ("comparison", "Both had good features and good support"),
    ("price", "It was expensive"),
    ("price", "Cost was a factor of course"),
    ("price", "Budget is always important"),
    ("team", "They were nice"),
    ("team", "Very professional, no complaints, good communication"),
    ("team", "It was good to work with them"),
    ("otherwise", "A better price"),
    ("otherwise", "More features maybe"),
    ("otherwise", "Not sure, it would have to be a better product I suppose"),
    ("otherwise", "Lower cost and better support would have helped"),
]

ADEQUATE = [
    (
        "trigger",
        "Our old ticketing tool could not export logs, and the March audit gave us six weeks because legal insisted.",
    ),
    (
        "trigger",
        "We had outgrown the spreadsheets after we hired twelve people in Berlin, so orders were shipped twice.",
    ),
    (
        "trigger",
        "The contract was up for renewal in June and the vendor raised our fee by 40 percent without any warning.",
    ),
    (
        "trigger",
        "When our new CTO arrived she found three systems doing the same job, and she asked us to replace them before Christmas.",
    ),
    (
        "criteria",
        "When we ran the trial we checked the integration with our warehouse first, because the nightly sync had broken twice with the last tool.",
    ),
    (
        "criteria",
        "Security came first: an auditor told us in June that shared logins had to go, so single sign-on was a must.",
    ),
    (
        "criteria",
        "We timed how long a new agent took to close a ticket in each demo, since training is our largest cost.",
    ),
    (
        "criteria",
        "Reporting, because last year we rebuilt forty dashboards by hand every quarter and the board noticed.",
    ),
    (
        "people",
        "Our CFO and the head of security had the final say, and I ran the evaluation with two engineers from Berlin.",
    ),
    (
        "people",
        "Procurement led it, but the warehouse managers could veto anything their teams could not use with gloves on.",
    ),
    ("people", "It was me, Tom from IT and the plant manager in Leeds, who cared most about downtime."),
    ("options", "Globex, Initech and you were on the final list in May, besides building it in-house."),
    (
        "options",
        "We kept our existing system in the race until April, next to Globex and a local agency called Brightside.",
    ),
    ("options", "Globex and Hooli"),
    ("options", "You, Initech, and doing nothing for another year, which our COO preferred until the outage."),
    (
        "verdict",
        "In the final demo Globex showed us the sync live in ten minutes, whereas yours failed in front of our CFO.",
    ),
    (
        "verdict",
        "After the pilot in April the engineers voted, and seven of nine preferred Globex because they already knew it, while yours needed training.",
    ),
    (
        "verdict",
        "The board met in June and took the cheaper offer, since yours was 20 percent more than the one from Initech when we counted contractors.",
    ),
    (
        "verdict",
        "When legal read both contracts in May your renewal clause was stricter than the one from Initech, and that settled it.",
    ),
    (
        "comparison",
        "Your reporting was better than theirs in the pilot, but the connector was slower and we had to call support twice.",
    ),
    (
        "comparison",
        "Two of the three vendors could import our history when we tried it; you could not, which meant retyping 8,000 records.",
    ),
    (
        "comparison",
        "You answered our security questionnaire in four days, while the others sent theirs the same afternoon, but your API was cleaner.",
    ),
    (
        "comparison",
        "During the trial your mobile app crashed on the scanners in the cold store, whereas theirs ran all week.",
    ),
    (
        "price",
        "Yours came to 48,000 a year, about the same as Globex, but contractors counted as full seats and that surprised the CFO.",
    ),
    (
        "price",
        "We had 30,000 in the budget, so anything above needed a second approval that would have taken until autumn.",
    ),
    ("price", "Procurement compared both offers in May and the per-user fee looked low until we added the connector."),
    (
        "team",
        "Maria answered within two hours when we got stuck in the trial, whereas the other vendor took three days in April.",
    ),
    ("team", "We waited nine days for a quote and by then the steering group had already met with the other vendor."),
    ("team", "In the workshop your consultant asked about our returns process, and nobody else had done that before."),
    (
        "team",
        "Your rep called my boss behind my back after the demo, which made the rest of the process awkward for me.",
    ),
    (
        "otherwise",
        "If the connector had been ready in March we would have stayed, because the team liked your reports better than theirs.",
    ),
    (
        "otherwise",
        "A go-live before the merger in September; your rollout plan ended in December, so it was out of the question.",
    ),
    ("otherwise", "Had you matched the fee per seat that Initech offered in May, our CFO would have signed with you."),
    (
        "otherwise",
        "A reference from a food company would have done it, because our quality manager asked for one three times.",
    ),
]


def probed(topic: str, text: str) -> bool:
    """Whether the script digs deeper after this answer to the topic's main question, with the whole budget left."""
    talk = Talk()
    while talk.state.pending.topic != topic:
        talk.do(*cooperative(talk))
    before = talk.state.probes
    talk.answer(text)
    return talk.state.probes > before


def test_there_are_enough_answers_on_every_topic():
    assert min(len(VAGUE), len(ADEQUATE)) >= 30
    for answers in (VAGUE, ADEQUATE):
        assert {topic for topic, _ in answers} == {topic.id for topic in LOST.topics}


def test_the_score_separates_vague_from_adequate_answers():
    vague = [judge.quality(text).score for _, text in VAGUE]
    adequate = [judge.quality(text).score for _, text in ADEQUATE]
    above = sum((a > v) + (a == v) / 2 for a in adequate for v in vague)

    assert above / (len(vague) * len(adequate)) >= 0.98


def test_probes_go_to_the_vague_answers_and_to_few_others():
    hits = [(topic, text) for topic, text in VAGUE if probed(topic, text)]
    false = [(topic, text) for topic, text in ADEQUATE if probed(topic, text)]

    assert len(hits) / len(VAGUE) >= 0.88, [item for item in VAGUE if item not in hits]
    assert len(hits) / (len(hits) + len(false)) >= 0.85, false


@pytest.mark.parametrize("topic", [topic.id for topic in LOST.topics])
def test_no_topic_is_left_out(topic):
    assert any(probed(topic, text) for where, text in VAGUE if where == topic)
