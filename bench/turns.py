"""How long does a contact wait for Paige? `POST /survey`, streamed as the page's script reads it.

Run by `make bench`. Fifty contacts are interviewed at a time; each thinks for five seconds before an answer. First
Paige follows her script, then she asks a language model of our own that takes no time, so that what is seen is what
Afterword adds to a model's. It starts a PostgreSQL and a web process of its own.
"""

import argparse
import asyncio
import contextlib
import html
import itertools
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import httpx

from afterword import accounts, interview_types, tokens
from afterword.db import Db
from afterword.db.embedded import EmbeddedServer
from afterword.db.migrate import migrate
from afterword.settings import current
from fast_model import FastModel
from servers import CpuMeter, environment, serving

THINKING = 5.0  # seconds
_TARGETS = {"script": 50.0, "model": 150.0}  # milliseconds, p95
_TYPING_TARGET = 150.0
_WHAT = {"script": "scripted", "model": "with a model that takes no time"}
_ANSWERS = (
    "We had three tools that did not talk to each other, and in March our operations lead spent a whole weekend "
    "copying orders by hand, so we had to do something.",
    "Mostly the price. It came to about twice what the other offer was, once we had counted the seats.",
    "I would say the demo. They showed our own data in it and you did not.",
    "It was fine, I suppose.",
    "Our finance team was not convinced that it would pay for itself within a year, because the rollout was planned "
    "for the busiest quarter and nobody could say how much of our time it would take.",
    "The integration with our warehouse system. When we tried it in May it lost two orders out of fifty, and that was "
    "the moment when our head of logistics said no.",
    "Hard to say, really.",
    "Another company in our field told us that support answered within an hour, whereas with the old one we waited for "
    "days.",
)


@dataclass
class Seen:
    """What one leg has measured. Milliseconds."""

    typing: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    finished: int = 0


@dataclass(frozen=True, slots=True)
class Figures:
    """What a leg comes to. Milliseconds; CPU per turn."""

    turns: int
    interviews: int
    asked: float
    typing_p95: float
    p50: float
    p95: float
    p99: float
    cpu_web: float
    cpu_postgres: float


class Form(HTMLParser):
    """The way on: the first form of the page that is marked as it, with what its first button sends."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self.text = False
        self._inside = self._done = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form" and "data-step" in given and not self._done:
            self._inside = True
        elif self._inside and tag == "input" and given.get("type") == "hidden" and given["name"] != "action":
            self.fields[given["name"]] = given.get("value", "")
        elif self._inside and tag == "textarea":
            self.text = True
        elif self._inside and given.get("name") == "action" and "action" not in self.fields:
            self.fields["action"] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form" and self._inside:
            self._inside, self._done = False, True


def main() -> int:
    """Measure and print; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=40, help="length of a leg (default 40)")
    parser.add_argument("--contacts", type=int, default=50, help="interviews at a time (default 50)")
    parser.add_argument("--processes", type=int, default=1, help="web processes (default 1, as serve has)")
    parser.add_argument("--only", choices=list(_TARGETS), help="one of the two legs")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args()
    figures = _measure(options)
    if options.json:
        print(json.dumps({name: {key: getattr(one, key) for key in one.__slots__} for name, one in figures.items()}))
    else:
        _print(figures, options)
    return 0


def _measure(options: argparse.Namespace) -> dict[str, Figures]:
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="afterword-bench-")))
        folder.chmod(0o755)
        postgres = EmbeddedServer.start(folder / "data")
        stack.callback(postgres.stop)
        migrate(postgres.url)
        settings = environment(postgres.url, folder / "web") | {"AFTERWORD_SURVEY_STARTS_PER_HOUR": "0"}
        os.environ |= {name: value for name, value in settings.items() if name.startswith("AFTERWORD_")}
        tokens.load_secret(current())
        return asyncio.run(_legs(settings, options, postgres))


async def _legs(
    settings: Mapping[str, str], options: argparse.Namespace, postgres: EmbeddedServer
) -> dict[str, Figures]:
    key, type_id = await _organization(postgres.url)
    assert postgres.pid is not None
    figures: dict[str, Figures] = {}
    async with FastModel.serving() as model:
        priced = {
            "AFTERWORD_LLM_URL": model.url,
            "AFTERWORD_LLM_MODEL": "fast",
            "AFTERWORD_LLM_INPUT_PRICE": "1",
            "AFTERWORD_LLM_OUTPUT_PRICE": "4",
            "AFTERWORD_LLM_DAILY_CAP": "1000000",
        }
        for name, more in (("script", {}), ("model", priced)):
            if options.only in {None, name}:
                figures[name] = await _leg({**settings, **more}, options, model, postgres.pid, key, type_id)
    return figures


async def _organization(url: str) -> tuple[str, str]:
    async with Db.open(url, size=1, name="bench") as db, db.tx() as tx:
        organization = await accounts.create_organization(tx, "Initrode", "enterprise")
        types = await interview_types.add_shipped(tx, organization.id)
        _, secret = await accounts.create_key(tx, organization.id, "Bench")
    return secret, types[0].id


async def _leg(
    settings: Mapping[str, str], options: argparse.Namespace, model: FastModel, postmaster: int, key: str, type_id: str
) -> Figures:
    with serving("afterword", options.processes, settings) as server:
        base = f"http://127.0.0.1:{server.port}"
        async with httpx.AsyncClient(base_url=base, timeout=30, limits=httpx.Limits(max_connections=200)) as web:
            seen, stop = Seen(), asyncio.Event()
            contacts = [
                asyncio.create_task(_contact(web, key, type_id, number, options.contacts, stop, lambda: seen))
                for number in range(options.contacts)
            ]
            await asyncio.sleep(2 * THINKING)  # all have begun, and what is loaded at first use is loaded
            meter, seen, asked = CpuMeter(postmaster, server), Seen(), model.asked
            before = meter()
            await asyncio.sleep(options.seconds)
            measured, seen, after, asked = seen, Seen(), meter(), model.asked - asked
            stop.set()
            await asyncio.gather(*contacts)
    return _figures(measured, asked, {name: after[name] - before[name] for name in after})


def _figures(seen: Seen, asked: int, cpu: Mapping[str, float]) -> Figures:
    whole, typing, turns = sorted(seen.whole), sorted(seen.typing), len(seen.whole)
    if not turns:
        raise RuntimeError("no turn was answered; is the machine busy with something else?")
    return Figures(
        turns=turns,
        interviews=seen.finished,
        asked=asked / turns,
        typing_p95=typing[turns * 95 // 100],
        p50=whole[turns // 2],
        p95=whole[turns * 95 // 100],
        p99=whole[turns * 99 // 100],
        cpu_web=cpu["web"] * 1000 / turns,
        cpu_postgres=cpu["postgres"] * 1000 / turns,
    )


async def _contact(
    web: httpx.AsyncClient,
    key: str,
    type_id: str,
    number: int,
    contacts: int,
    stop: asyncio.Event,
    seen: Callable[[], Seen],
) -> None:
    """One interview after the other, until `stop`."""
    chance = random.Random(number)
    await _think(THINKING * number / contacts, stop)
    for again in itertools.count():
        token = await _asked_for(web, key, type_id, f"contact{number}.{again}@initech.example")
        page = await web.get("/survey", params={"token": token})
        form = Form(page.text)
        while form.fields:
            if stop.is_set():
                return
            fields = {**form.fields, "token": token}
            if form.text:
                fields["text"] = chance.choice(_ANSWERS)
            measured = form.fields["action"] == "answer"
            form = Form(await _step(web, fields, seen() if measured else Seen()))
            await _think(THINKING * chance.uniform(0.8, 1.2), stop)
        seen().finished += 1


async def _think(seconds: float, stop: asyncio.Event) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


async def _asked_for(web: httpx.AsyncClient, key: str, type_id: str, email: str) -> str:
    body = {
        "contact_email": email,
        "contact_name": "Jane Smith",
        "interview_type_id": type_id,
        "contact_context": {"title": "VP of Engineering", "use_case": "CI/CD automation", "stage": "POC completed"},
        "objective": "Understand why we lost this deal, and whether the price or the integrations decided",
    }
    answer = await web.post("/api/v1/interviews", json=body, headers={"Authorization": f"Bearer {key}"})
    if answer.status_code != 201:
        raise RuntimeError(f"the interview was refused: {answer.text}")
    return str(answer.json()["survey_token"])


async def _step(web: httpx.AsyncClient, fields: Mapping[str, str], seen: Seen) -> str:
    """Send a form as the page's script does; the next page."""
    began, first, last = time.perf_counter(), 0.0, ""
    async with web.stream("POST", "/survey", data=dict(fields), headers={"Accept": "application/x-ndjson"}) as answer:
        async for line in answer.aiter_lines():
            first = first or time.perf_counter()
            last = line or last
    ended = time.perf_counter()
    step = json.loads(last)
    if "html" not in step:
        raise RuntimeError(f"a step was refused: {html.unescape(last)[:300]}")
    seen.typing.append((first - began) * 1000)
    seen.whole.append((ended - began) * 1000)
    return str(step["html"])


def _print(figures: Mapping[str, Figures], options: argparse.Namespace) -> None:
    print(
        f"\n{os.cpu_count()} cores, Python {sys.version.split()[0]}; {options.contacts} contacts who think "
        f"{THINKING:g} s, {options.processes} web process{'es' * (options.processes > 1)}, "
        f"{options.seconds:g} s each.\n"
    )
    print(
        "| Paige | turns | calls a turn | typing sign p95 ms | p50 ms | p95 ms | target | p99 ms | "
        "CPU ms a turn: web | PostgreSQL |"
    )
    print("| --- |" + " ---: |" * 9)
    for name, one in figures.items():
        met = "met" if one.p95 < _TARGETS[name] and one.typing_p95 < _TYPING_TARGET else "MISSED"
        print(
            f"| {_WHAT[name]} | {one.turns} | {one.asked:.2f} | {one.typing_p95:.1f} | {one.p50:.1f} | {one.p95:.1f} | "
            f"< {_TARGETS[name]:g}: {met} | {one.p99:.1f} | {one.cpu_web:.1f} | {one.cpu_postgres:.1f} |"
        )


if __name__ == "__main__":
    sys.exit(main())
