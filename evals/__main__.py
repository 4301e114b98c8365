"""`python -m evals`: hold the interviews, print the figures, fail where a gate does."""

import argparse
import importlib
import re
import sys
import time

from evals import gates, report, runs


def main() -> int:
    """Exit code 1 when a gate fails or the page does not show these figures."""
    parser = argparse.ArgumentParser(prog="python -m evals", description=__doc__)
    parser.add_argument("--show", nargs=3, metavar=("PERSONA", "TYPE", "SEED"), help="print one interview and end")
    parser.add_argument(
        "--mode", choices=runs.MODES, help="only scripted or only with the fake model; for --show as well"
    )
    parser.add_argument("--write", action="store_true", help="put the figures into docs/interview-quality.md")
    parser.add_argument("--in-process", action="store_true", help="leave out the interviews over HTTP")
    parser.add_argument("--online", action="store_true", help="a few interviews with the model of AFTERWORD_LLM_*")
    parser.add_argument("--reword", action="store_true", help="online: the model says the respondents' answers")
    parser.add_argument("--grade", action="store_true", help="online: the model grades the transcripts")
    parser.add_argument("--seeds", help="other seeds for the interviews, such as 100-104")
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args()
    if given.show:
        persona, kind, seed = given.show
        print(runs.shown(runs.Key(persona, kind, int(seed), given.mode or "script")).transcript())
        return 0
    if given.online:
        return _online(given)
    failed = _in_process(given)
    if not given.in_process and not given.mode and not given.seeds:
        over_http = importlib.import_module("evals.over_http")
        failed |= over_http.main(["--write"] if given.write else []) != 0
    return int(failed)


def _online(given: argparse.Namespace) -> int:
    online = importlib.import_module("evals.online")  # here, so that nothing else needs the model's client
    return online.main(reword=given.reword, grade=given.grade)


def _in_process(given: argparse.Namespace) -> bool:
    began = time.monotonic()
    seeds = _seeds(given.seeds) if given.seeds else runs.SEEDS
    outcome = runs.run((given.mode,) if given.mode else runs.MODES, seeds=seeds, processes=given.processes)
    found = gates.gates(outcome)
    text = report.tables(outcome, found)
    print(text)
    interviews = sum(figures.interviews for figures in outcome.by_mode.values())
    print(f"\n{interviews} interviews in {outcome.seconds:.0f} s, with all suites {time.monotonic() - began:.0f} s")
    failing = [gate for gate in found if not gate.holds]
    for gate in failing:
        print(f"FAILS {gate.name}: {report.number(gate.value)}, wanted {gate.wanted}", file=sys.stderr)
        if gate.show:
            print(f"      {gate.show}", file=sys.stderr)
        if which := re.match(r"(P\d\d [\w-]+ \d+):", gate.show):
            print(f"      see python -m evals --show {which[1]} --mode {gate.mode}", file=sys.stderr)
    if given.seeds:
        if given.write:
            report.write(report.fresh(found, seeds), report.FRESH)
        return bool(failing)
    if given.write:
        report.write(text)
    elif not given.mode and report.stored() != text:
        print("docs/interview-quality.md shows other figures; run python -m evals --write", file=sys.stderr)
        return True
    return bool(failing)


def _seeds(given: str) -> range:
    first, _, last = given.partition("-")
    return range(int(first), int(last or first) + 1)


if __name__ == "__main__":
    sys.exit(main())
