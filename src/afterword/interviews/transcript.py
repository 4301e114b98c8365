"""The transcript: markdown, one paragraph a turn, in which nobody can forge a turn that was not theirs."""

import re
from collections.abc import Iterable

from afterword.interviews import Turn

_UNSAID = {
    "skip": "*(skipped this question)*",
    "stop": "*(ended the interview)*",
    "confirm": "*(confirmed)*",
    "wrong_person": "*(is not the right person)*",
    "language": "*(changed the language)*",
}
# Everything that could start or end emphasis, a heading, a list, a quote, a link, code or HTML.
_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~])")
_LINE_START = re.compile(r"^(\s*)(\d+)([.)])|^(\s*)([-+=])", re.MULTILINE)


def render(turns: Iterable[Turn], *, interviewer: str, contact: str | None) -> str:
    """`**Paige:** …` and `**Jane Smith:** …`, a blank line between turns, single breaks within one."""
    names = {"interviewer": escape(interviewer), "contact": escape(contact) if contact else "Contact"}
    paragraphs: list[str] = []
    for turn in turns:
        said = turn.text and turn.action != "language"  # whose text is the code of one
        text = escape(turn.text) if said else _UNSAID.get(turn.action, "")
        if text:
            paragraphs.append(f"**{names[turn.role]}:** {text}")
    return "\n\n".join(paragraphs) + "\n"


def escape(text: str) -> str:
    """What somebody typed, as markdown that shows just that."""
    lines = [line.strip() for line in re.split(r"[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]+", text.strip())]
    escaped = _MARKUP.sub(r"\\\1", "\n".join(line for line in lines if line))
    return _LINE_START.sub(lambda m: f"{m[1]}{m[2]}\\{m[3]}" if m[2] else f"{m[4]}\\{m[5]}", escaped)
