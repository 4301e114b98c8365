"""The first three personas as people who answer over HTTP: they hear only what is said to them."""

from collections.abc import Callable

from evals import stories
from evals.background import VENDOR
from evals.personas import PERSONAS
from evals.respondents import Respondent

KIND = "lost-to-competitor"


def respondent(persona: str, number: int) -> Callable[[str], str]:
    """Somebody new of this persona, with story `number`. They stay, however often they are asked the same."""
    traits = PERSONAS[persona].traits
    story = stories.plant(KIND, number, VENDOR, layered=traits.layered)
    somebody = Respondent(traits, story, VENDOR, f"{persona} {number}")
    heard: list[str] = []

    def answer(said: str) -> str:
        heard.append(said)
        return somebody.answer(said, first=len(heard) == 1).text

    return answer
