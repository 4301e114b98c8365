"""What a trial has found: rows of figures to print and keep, and the gates that must hold."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Gate:
    """One hard gate. `got` is what was measured, in words; `examples` are the first cases that broke it."""

    name: str
    wanted: str
    got: str
    held: bool
    examples: Sequence[str] = ()


@dataclass(slots=True)
class Findings:
    """A table and its gates."""

    title: str
    columns: Sequence[str]
    rows: list[Sequence[str]] = field(default_factory=list)
    gates: list[Gate] = field(default_factory=list)
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list)

    @property
    def held(self) -> bool:
        """Whether every gate holds."""
        return all(gate.held for gate in self.gates)

    def gate(self, name: str, wanted: str, got: object, held: bool, examples: Sequence[str] = ()) -> None:
        """Add a gate; at most five examples are kept."""
        self.gates.append(Gate(name, wanted, str(got), held, tuple(examples)[:5]))

    def none_of(self, name: str, cases: Sequence[str], of: int) -> None:
        """Add the gate that none of `of` cases broke."""
        self.gate(name, "0", f"{len(cases)} of {of}", not cases, cases)

    def to_json(self) -> dict[str, object]:
        """Plain data, for the file of figures."""
        return asdict(self) | {"held": self.held}

    def markdown(self) -> str:
        """The table and the gates as they stand in a document."""
        lines = [f"## {self.title}", ""]
        if self.rows:
            lines += [_row(self.columns), _row(["---"] * len(self.columns)), *map(_row, self.rows), ""]
        lines += [_row(("gate", "wanted", "got", "")), _row(["---"] * 4)]
        lines += [_row((gate.name, gate.wanted, gate.got, "holds" if gate.held else "BROKEN")) for gate in self.gates]
        lines += [f"  {gate.name}: {example}" for gate in self.gates if not gate.held for example in gate.examples]
        lines += ["", *self.notes, f"{self.seconds:.0f} seconds."]
        return "\n".join(lines)


def report(figures: Sequence[Findings], file: Path | None = None) -> int:
    """Print the figures, store them as JSON if asked, and give the exit status."""
    for one in figures:
        sys.stdout.write(f"{one.markdown()}\n\n")
    if file is not None:
        file.write_text(json.dumps([one.to_json() for one in figures], indent=1, ensure_ascii=False) + "\n")
    return 0 if all(one.held for one in figures) else 1


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
