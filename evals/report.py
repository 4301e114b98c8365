"""The figures as tables: printed, and kept in docs/interview-quality.md between two markers."""

import statistics
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from evals.figures import Figures
from evals.gates import NAMES, Gate, coverage, share, told
from evals.personas import COOPERATIVE, PERSONAS
from evals.runs import RANDOM_RESPONDENTS, Outcome

# A promise is kept up to so many times its length. Who rambles takes longer, and is not hurried.
HONEST = 1.2
_NOT_RAMBLING = ("P01", "P02")
DOCS = Path(__file__).parents[1] / "docs" / "interview-quality.md"
FIGURES, FRESH = "figures", "fresh seeds"  # the parts of the page


def tables(outcome: Outcome, found: Sequence[Gate]) -> str:
    """Everything that is the same in every run, as markdown."""
    parts = [
        "### Gates\n\n"
        + table(
            ("gate", "value", "wanted", ""),
            [(g.name, number(g.value), g.wanted, "" if g.holds else "**fails**") for g in found],
        ),
        "### Quality, not gated\n\n"
        + table(("figure", *(NAMES[mode] for mode in outcome.by_mode)), list(_quality(outcome))),
        "### Beside the baselines\n\n"
        + table(
            ("interviewer", "questions a contact", "coverage", "facts told", "depth 0", "depth 1", "depth 2"),
            list(_beside(outcome.beside)),
        ),
        "### What must happen with each persona\n\n"
        + table(("persona", *(NAMES[mode] for mode in outcome.by_mode)), list(_kept(outcome))),
    ]
    return "\n\n".join(parts)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A markdown table."""
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in (head, *rows)
    ]
    rule = "| " + " | ".join("-" * width for width in widths) + " |"
    return "\n".join([lines[0], rule, *lines[1:]])


def number(value: float) -> str:
    """A count, or a share with three places, rounded down so that 0.9999 does not read as 1."""
    return str(value) if isinstance(value, int) else f"{int(value * 1000 + 1e-9) / 1000:.3f}"


def write(text: str, part: str = FIGURES) -> None:
    """Put the tables into that part of the page."""
    begin, end = _markers(part)
    page = DOCS.read_text("utf-8")
    before, _, rest = page.partition(begin)
    _, _, after = rest.partition(end)
    DOCS.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}", "utf-8")


def stored(part: str = FIGURES) -> str:
    """The tables that the page shows there."""
    begin, end = _markers(part)
    return DOCS.read_text("utf-8").partition(begin)[2].partition(end)[0].strip()


def fresh(found: Sequence[Gate], seeds: Sequence[int]) -> str:
    """The gates' figures of other seeds beside those that the page shows."""
    cells = [[cell.strip() for cell in line.split("|")] for line in stored().splitlines()]
    known = {row[1]: row[2] for row in cells if len(row) > 4}
    head = ("figure", "seeds 1 to 5", f"seeds {seeds[0]} to {seeds[-1]}", "wanted", "")
    return table(
        head,
        [(g.name, known.get(g.name, ""), number(g.value), g.wanted, "" if g.holds else "**misses**") for g in found],
    )


def _markers(part: str) -> tuple[str, str]:
    return f"<!-- {part}: begin -->", f"<!-- {part}: end -->"


def _quality(outcome: Outcome) -> Iterator[tuple[str, ...]]:
    modes = outcome.by_mode

    def row(name: str, value: Callable[[Figures], object]) -> tuple[str, ...]:
        return name, *(str(value(found)) for found in modes.values())

    yield row("interviews", lambda f: f.interviews)
    yield row("ended: finished, stopped, for safety, contact left", _ended)
    yield row("must-have topics asked or told unasked", lambda f: number(share(f.must_met, f.must_of)))
    for persona in COOPERATIVE:
        name = f"coverage, {PERSONAS[persona].title} ({persona})"
        yield name, *(number(coverage(outcome.by_persona[mode][persona])) for mode in modes)
    yield row("facts told a question", lambda f: f"{sum(f.told) / sum(f.questions):.2f}")
    yield row(
        "questions: median, 95th of 100",
        lambda f: f"{statistics.median(f.questions):.0f}, {_centile(f.questions, 95):.0f}",
    )
    yield row(
        "words of a message: median, 95th of 100",
        lambda f: f"{statistics.median(f.words):.0f}, {_centile(f.words, 95):.0f}",
    )
    for persona in COOPERATIVE:
        name = f"minutes over those advertised, {PERSONAS[persona].title} ({persona}): median, 90th of 100"
        taken = (outcome.by_persona[mode][persona].minutes for mode in modes)
        yield name, *(f"{statistics.median(minutes):.2f}, {_centile(minutes, 90):.2f}" for minutes in taken)
    name = f"interviews of at most {HONEST} times the length advertised, {_NOT_RAMBLING[0]} and {_NOT_RAMBLING[1]}"
    yield name, *(number(_in_time(outcome.by_persona[mode])) for mode in modes)
    yield row("asked for what was told already", lambda f: f.asked_again)
    yield row("premises offered", lambda f: f.faults["premise offered"])
    yield row("names or numbers invented", lambda f: f.faults["name or number invented"])
    yield row("restarts between two messages", lambda f: f.restarts)
    yield row(
        "messages worded by the model", lambda f: number(share(f.model_turns, f.own_turns)) if f.model_turns else "none"
    )
    yield row("model's wordings replaced by the script's", lambda f: sum(f.fallbacks.values()))
    stops = outcome.stops
    yield "near misses taken for a stop", *(f"{stops.false} of {stops.near}" for _ in modes)
    yield "random respondents followed to the end", *(f"{RANDOM_RESPONDENTS:,}" for _ in modes)


def _in_time(by_persona: dict[str, Figures]) -> float:
    taken = [minutes for persona in _NOT_RAMBLING for minutes in by_persona[persona].minutes]
    return share(sum(minutes <= HONEST for minutes in taken), len(taken))


def _ended(found: Figures) -> str:
    return ", ".join(str(found.ended[how]) for how in ("finished", "stopped", "safety", "left"))


def _beside(beside: dict[str, Figures]) -> Iterator[tuple[str, ...]]:
    for name, found in beside.items():
        depths = (number(share(one, of)) for one, of in zip(found.told, found.told_of, strict=True))
        questions = f"{statistics.mean(found.questions):.1f}"
        yield NAMES.get(name, name), questions, number(coverage(found)), number(told(found)), *depths


def _kept(outcome: Outcome) -> Iterator[tuple[str, ...]]:
    names = sorted({name for found in outcome.by_mode.values() for name in found.kept_of})
    for name in names:
        persona = PERSONAS[name[:3]]
        cells = (f"{found.kept[name]} of {found.kept_of[name]}" for found in outcome.by_mode.values())
        yield f"{persona.id}, {persona.title}: {name[4:]}", *cells


def _centile(values: Sequence[float], which: int) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * which // 100)]
