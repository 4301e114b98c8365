"""Three people who answer over HTTP. They hear only what is said to them; no two of their answers are alike."""

import itertools
from collections.abc import Callable

_MEDIUM = (
    "Our old ticketing tool could not export logs, and the March audit gave us six weeks because legal insisted.",
    "We looked at the connector to our warehouse first, because when we ran the trial the nightly sync broke twice.",
    "Our CFO and the head of security had the final say, and I ran the evaluation with two engineers from Berlin.",
    "Globex, Initech and you were on the final list in May, besides building it in-house.",
    "In the final demo Globex showed the sync live in ten minutes, whereas yours failed, so we went with Globex.",
    "Your reporting was better than theirs in the pilot, but the connector was slower and we called support twice.",
    "When we compared the offers in May yours came to 48,000 a year, about the same as the offer from Globex.",
    "Maria answered within two hours when we got stuck in the trial, whereas the other vendor took three days.",
    "If the connector had been ready in March we would have stayed, because the team liked your reports better.",
)
_TERSE = (
    "An audit in March.",
    "The connector, mostly, because the sync broke.",
    "Our CFO decided.",
    "Globex and Initech.",
    "Globex won in the demo.",
    "Your reports were better.",
    "About 48,000 a year.",
    "Maria was quick.",
    "A connector that works.",
)
_RAMBLING = tuple(
    f"Well, that is a longer story, and I have told it to a few people here already. {first} "
    f"And then there was the other thing, which I remember because it rained all week and we sat in the small room. "
    f"{second} I could go on, but that is more or less how it went as far as I saw it from my desk."
    for first, second in zip(_MEDIUM, _MEDIUM[4:] + _MEDIUM[:4], strict=True)
)
_KINDS = {"P01": _MEDIUM, "P02": _TERSE, "P03": _RAMBLING}

PERSONAS = tuple(_KINDS)


def respondent(persona: str) -> Callable[[str], str]:
    """Somebody new of this kind: P01 speaks in sentences, P02 in few words, P03 in many."""
    numbers = itertools.count()

    def answer(_: str) -> str:
        number = next(numbers)
        said = _KINDS[persona][number % len(_KINDS[persona])]
        return said if number < len(_KINDS[persona]) else f"{said} That was in week {number}."

    return answer
