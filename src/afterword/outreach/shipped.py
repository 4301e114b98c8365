"""The texts of the sequences that ship: three mails in one thread, each at most 90 words, then silence."""

from collections.abc import Sequence
from dataclasses import dataclass

from afterword.outreach.schedule import SendWindow


@dataclass(frozen=True, slots=True)
class Text:
    """One mail as a template."""

    subject: str
    body: str


# Mid-morning in the middle of the week, when people answer.
MORNINGS: Sequence[SendWindow] = (SendWindow(("tue", "wed", "thu"), "09:30", "11:30"),)

BUYER_MAILS: Sequence[Text] = (
    Text(
        "How did you decide?",
        """\
Hi {first_name},

You took part in {company}'s evaluation of our product, and nobody can tell us better than you how it really went.

Would you take about {survey_length} for an interview in writing? Our AI interviewer asks, you answer whenever it \
suits you. It is not a sales conversation: our product and sales teams read the answers, and nobody will try to \
reopen your decision.

{link}

Or just reply in your own words. If you would rather not hear from us, say so and I will stop.

Thank you,
{sender_name}
""",
    ),
    Text(
        "",
        """\
Hi {first_name},

What you tell us decides what we change first, and so far we know only our own side of the story.

One question is enough: what made the biggest difference in your choice? A line in reply helps.

If you have about {survey_length}, our AI interviewer asks the rest here; you can skip questions, stop, or come back \
later:

{link}

If you would rather not get these e-mails, say so and I will stop.

Thank you,
{sender_name}
""",
    ),
    Text(
        "",
        """\
Hi {first_name},

This is my last e-mail about {company}'s evaluation.

If there is one thing that we should have done differently, a single sentence in reply tells us. The interview with \
our AI interviewer, about {survey_length}, stays open for you as well:

{link}

If you would rather leave it, you need not do anything. And if you want no such e-mails from us ever again, reply \
"no more" or use the link below.

Thank you for reading,
{sender_name}
""",
    ),
)
