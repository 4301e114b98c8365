"""How fast is `POST /api/v1/interviews`? Ours, the database alone, and the endpoint written the usual way.

Run by `make bench`. It starts a PostgreSQL and web processes of its own, lets the contestants take turns for some
rounds, and prints a table: ratios are between legs of the same round, so a machine that is now fast and now slow, or
busy with something else, moves both sides. `docs/performance.md` says how to read it.
"""

import argparse
import contextlib
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg

import load
import pgbench
import tenants
from afterword.db.embedded import EmbeddedServer
from afterword.db.migrate import migrate
from load import LoadError, Window
from servers import CpuMeter, Server, environment, serving
from tenants import Kind

_RAMP = 0.7  # seconds of each leg that are not counted: connections, plans, the first calls
_WARM_UP = 1.0  # seconds of each leg before the first round
_WARM_UPS = 3  # tries: on a busy machine the first calls may take longer than that
_READY = 4000  # requests a second that are made ahead of a leg; more are made on the way
_WHAT = {"link": "link only", "sequence": "with a sequence"}


@dataclass(frozen=True, slots=True)
class Figures:
    """One leg of one round. Times in milliseconds; CPU per call."""

    per_second: float
    p50: float
    p99: float
    cpu_web: float
    cpu_postgres: float
    generator: float  # cores

    @classmethod
    def of(cls, window: Window) -> "Figures":
        """What a window comes to."""
        calls = len(window.latencies)
        if not calls:
            raise LoadError(
                f"no call was answered within {window.seconds:.1f} s; is the machine busy with something else?"
            )
        return cls(
            per_second=calls / window.seconds,
            p50=window.latencies[calls // 2],
            p99=window.latencies[calls * 99 // 100],
            cpu_web=window.cpu["web"] * 1000 / calls,
            cpu_postgres=window.cpu["postgres"] * 1000 / calls,
            generator=window.own_cpu / window.seconds,
        )

    @property
    def cpu(self) -> float:
        """What serves a call, without who makes it."""
        return self.cpu_web + self.cpu_postgres


@dataclass(frozen=True, slots=True)
class Leg:
    """One contestant doing one kind of call, for so many seconds."""

    contestant: str
    kind: Kind
    processes: int
    run: Callable[[float], Figures]

    @property
    def name(self) -> str:
        """Such as `afterword-2-link`."""
        return f"{self.contestant}-{self.processes}-{self.kind}"


def main() -> int:
    """Measure and print; the exit status."""
    options = _options()
    program = pgbench.find()
    if program is None:
        print(pgbench.MISSING, file=sys.stderr)
        return 1
    try:
        return _measure(options, program)
    except LoadError as error:
        print(f"The measurement failed: {error}", file=sys.stderr)
        return 1


def _measure(options: argparse.Namespace, program: str) -> int:
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="afterword-bench-")))
        folder.chmod(0o755)
        postgres = EmbeddedServer.start(folder / "data")
        stack.callback(postgres.stop)
        migrate(postgres.url)
        keys = tenants.create(postgres.url)
        legs = _legs(stack, options, program, postgres, keys, folder)
        _say(f"{len(legs)} legs, {options.rounds} rounds of {options.seconds:g} s each …", options)
        for leg in legs:
            _warm_up(leg)
        rounds: list[dict[str, Figures]] = []
        for number in range(options.rounds):
            # each round starts with another leg, so that none always follows the same
            turn = number * 3 % len(legs)
            rounds.append({leg.name: leg.run(options.seconds) for leg in (*legs[turn:], *legs[:turn])})
            _say(f"round {number + 1} of {options.rounds} done", options)
        version = _version(postgres)
    if options.json:
        print(json.dumps(_as_json(rounds, options, version), indent=2))
    else:
        _print(legs, rounds, options, version)
    return 0


def _warm_up(leg: Leg) -> None:
    for patience in range(_WARM_UPS, 0, -1):
        try:
            leg.run(_WARM_UP)
        except LoadError:
            if patience == 1:
                raise
        else:
            return


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.5, help="length of a leg (default 2.5)")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each contestant (default 5)")
    parser.add_argument("--connections", type=int, default=32, help="kept HTTP connections (default 32)")
    parser.add_argument(
        "--only", default="", help="a comma list of parts of leg names, such as pgbench,afterword-2-link"
    )
    parser.add_argument("--json", action="store_true", help="print every figure of every round as JSON")
    return parser.parse_args()


def _say(line: str, options: argparse.Namespace) -> None:
    if not options.json:
        print(line, file=sys.stderr, flush=True)


def _legs(
    stack: contextlib.ExitStack,
    options: argparse.Namespace,
    program: str,
    postgres: EmbeddedServer,
    keys: list[str],
    folder: Path,
) -> list[Leg]:
    postmaster = postgres.pid
    assert postmaster is not None
    scripts = pgbench.prepare(postgres.url, folder)
    settings = environment(postgres.url, folder / "web")

    def database(kind: Kind) -> Callable[[float], Figures]:
        meter = CpuMeter(postmaster, None)
        return lambda seconds: Figures.of(
            pgbench.run(program, postgres.url, scripts[kind], folder, ramp=_RAMP, seconds=seconds, meter=meter)
        )

    def http(server: Server, kind: Kind) -> Callable[[float], Figures]:
        meter = CpuMeter(postmaster, server)

        def run(seconds: float) -> Figures:
            requests = tenants.calls(keys, kind, int((_RAMP + seconds) * _READY))
            window = load.run(
                server.port, server.processes, options.connections, requests, ramp=_RAMP, seconds=seconds, meter=meter
            )
            return Figures.of(window)

        return run

    wanted = [part for part in options.only.split(",") if part]
    servers: dict[tuple[str, int], Server] = {}
    legs: list[Leg] = []
    for kind in tenants.KINDS:
        for contestant, processes in (("pgbench", 0), ("afterword", 2), ("usual", 2), ("afterword", 1), ("usual", 1)):
            name = f"{contestant}-{processes}-{kind}"
            if wanted and not any(part in name for part in wanted):
                continue
            if contestant == "pgbench":
                legs.append(Leg(contestant, kind, processes, database(kind)))
                continue
            if (contestant, processes) not in servers:
                servers[contestant, processes] = stack.enter_context(serving(contestant, processes, settings))
            legs.append(Leg(contestant, kind, processes, http(servers[contestant, processes], kind)))
    return legs


def _version(postgres: EmbeddedServer) -> str:
    with psycopg.connect(postgres.url) as connection:
        row = connection.execute("show server_version").fetchone()
    return str(row[0]) if row else ""


def _print(
    legs: Sequence[Leg], rounds: Sequence[dict[str, Figures]], options: argparse.Namespace, version: str
) -> None:
    print(
        f"\n{os.cpu_count()} cores, PostgreSQL {version} (durable), Python {sys.version.split()[0]}; "
        f"{tenants.COUNT} organizations, {options.connections} kept connections, {pgbench.CLIENTS} clients of pgbench; "
        f"medians of {options.rounds} rounds of {options.seconds:g} s.\n"
    )
    rows: list[tuple[str, ...]] = [
        (
            "",
            "web processes",
            "calls/s",
            "p50 ms",
            "p99 ms",
            "CPU ms a call: web",
            "PostgreSQL",
            "load generator, cores",
        )
    ]
    titles = {"pgbench": "(a) pgbench", "afterword": "(b) Afterword", "usual": "(c) the usual way"}
    for leg in sorted(
        legs, key=lambda leg: (tenants.KINDS.index(leg.kind), list(titles).index(leg.contestant), leg.processes)
    ):
        seen = [figures[leg.name] for figures in rounds]

        def median(pick: Callable[[Figures], float], seen: list[Figures] = seen) -> float:
            return statistics.median(pick(figures) for figures in seen)

        rows.append((
            f"{titles[leg.contestant]}, {_WHAT[leg.kind]}",
            str(leg.processes or "none"),
            f"{median(lambda f: f.per_second):,.0f}",
            f"{median(lambda f: f.p50):.1f}",
            f"{median(lambda f: f.p99):.1f}",
            f"{median(lambda f: f.cpu_web):.2f}" if leg.processes else "",
            f"{median(lambda f: f.cpu_postgres):.2f}",
            f"{median(lambda f: f.generator):.2f}",
        ))  # fmt: skip
    _print_table(rows)

    print()
    _print_table([
        ("", "web processes", "ratio of calls/s", "min–max", "ratio of CPU a call", "min–max"),
        *_ratios({leg.name for leg in legs}, rounds),
    ])  # fmt: skip


def _ratios(names: set[str], rounds: Sequence[dict[str, Figures]]) -> Iterator[tuple[str, ...]]:
    """How many times as many calls a second as the other, and how many times as much CPU the other takes for one."""
    for kind in tenants.KINDS:
        for label, over in (("b/a: Afterword to pgbench", "pgbench"), ("b/c: Afterword to the usual way", "usual")):
            for processes in (1, 2):
                ours = f"afterword-{processes}-{kind}"
                other = f"{over}-{0 if over == 'pgbench' else processes}-{kind}"
                if not {ours, other} <= names:
                    continue
                pairs = [(figures[ours], figures[other]) for figures in rounds]
                yield (
                    f"{label}, {_WHAT[kind]}",
                    str(processes),
                    *_spread([mine.per_second / theirs.per_second for mine, theirs in pairs]),
                    *_spread([theirs.cpu / mine.cpu for mine, theirs in pairs]),
                )


def _spread(values: Sequence[float]) -> tuple[str, str]:
    return f"{statistics.median(values):.2f}", f"{min(values):.2f}–{max(values):.2f}"


def _print_table(rows: Sequence[tuple[str, ...]]) -> None:
    """Markdown that is also readable as it stands."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    for number, row in enumerate(rows):
        cells = [
            cell.ljust(width) if not at else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        print("| " + " | ".join(cells) + " |")
        if number == 0:
            print(
                "| "
                + " | ".join("-" * width if not at else "-" * (width - 1) + ":" for at, width in enumerate(widths))
                + " |"
            )


def _as_json(rounds: Sequence[dict[str, Figures]], options: argparse.Namespace, version: str) -> dict[str, object]:
    return {
        "cores": os.cpu_count(),
        "postgresql": version,
        "organizations": tenants.COUNT,
        "connections": options.connections,
        "pgbench_clients": pgbench.CLIENTS,
        "seconds": options.seconds,
        "rounds": [
            {name: {field: getattr(figures, field) for field in Figures.__slots__} for name, figures in one.items()}
            for one in rounds
        ],
    }


if __name__ == "__main__":
    sys.exit(main())
