"""Checking a guide that somebody wrote: every fault and every slip of the craft, with its line where it is text."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from afterword.paige import guard
from afterword.paige.guide import Guide, GuideError, load_guide, load_parsed, locate, parse_text
from afterword.paige.guide_text import Finding, GuideText

_RULES = {message: rule for rule, message in guard.MESSAGES.items()}


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found. `guide` is there where there are no faults, `data` is empty where the text could not be read."""

    data: Mapping[str, Any]
    guide: Guide | None
    faults: tuple[Finding, ...]
    warnings: tuple[Finding, ...]


def check_guide(given: Mapping[str, Any] | str) -> Checked:
    """Check a guide given as data or as YAML or JSON text. Never raises for what is wrong with it."""
    parsed: GuideText | None = None
    data: Mapping[str, Any] = {} if isinstance(given, str) else given
    try:
        if isinstance(given, str):
            parsed = parse_text(given)
            data = parsed.data
            guide = load_parsed(parsed)
        else:
            guide = load_guide(given)
    except GuideError as error:
        return Checked(data, None, error.findings, ())
    slips = (Finding(where, what, rule=_RULES[what]) for where, what in guard.craft_warnings(guide))
    return Checked(data, guide, (), tuple(locate(slip, parsed) if parsed else slip for slip in slips))
