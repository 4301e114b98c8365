"""`afterword guides …`, as a process of its own: with files alone, and on the server's database."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml

from afterword import paige

Run = Callable[..., subprocess.CompletedProcess[str]]
TEXT = (files("afterword.paige") / "guides" / "churn.yaml").read_text("utf-8")
SLIP = TEXT.replace("What finally settled it?", "Great, what finally settled it?")
FAULTY = TEXT.replace("minutes: 11", "minutes: eleven").replace("    priority: 1\n", "    priority: 7\n", 1)


@pytest.fixture
def alone(tmp_path: Path) -> Run:
    """Run `afterword …` with no database in reach; the finished process."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AFTERWORD_")}

    def command(*arguments: object, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "afterword", *map(str, arguments)],
            env={**environment, "AFTERWORD_DATA_DIR": str(tmp_path / "data"), **more},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return command


@pytest.fixture
def run(alone: Run, database_url: str) -> Run:
    """The same on the test's database."""

    def command(*arguments: object) -> subprocess.CompletedProcess[str]:
        return alone(
            *arguments,
            AFTERWORD_DATABASE_URL=database_url,
            AFTERWORD_SECRET_KEY="a secret for tests that is long enough",
        )

    return command


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a file; its path."""

    def write(text: str | bytes, name: str = "guide.yaml") -> Path:
        file = tmp_path / name
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return file

    return write


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


def test_a_guide_in_order_passes_without_a_database(alone: Run, write: Callable[..., Path], tmp_path: Path):
    file = write(TEXT)

    done = alone("guides", "validate", file)

    assert (done.returncode, done.stdout, done.stderr) == (0, f"{file}: in order\n", "")
    assert not (tmp_path / "data").exists()


def test_faults_are_told_as_compilers_tell_them(alone: Run, write: Callable[..., Path]):
    file = write(FAULTY)

    done = alone("guides", "validate", file)

    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        f"{file}:{line_of(FAULTY, 'minutes: eleven')}: minutes: must be integer",
        f"{file}:{line_of(FAULTY, 'priority: 7')}: topics[0].priority: 7 is greater than the maximum of 3",
    ]


def test_warnings_are_shown_and_fail_only_when_that_is_wanted(alone: Run, write: Callable[..., Path]):
    file = write(SLIP)
    told = f"{file}:{line_of(SLIP, 'Great, what')}: languages.en.topics.last_straw.main[0]: warning (praise): "

    lenient, strict = alone("guides", "validate", file), alone("guides", "validate", "--strict", file)

    assert (lenient.returncode, strict.returncode) == (0, 1)
    assert lenient.stdout.startswith(told)
    assert strict.stdout == lenient.stdout


def test_several_files_are_all_checked_and_told_as_json(alone: Run, write: Callable[..., Path], tmp_path: Path):
    paths = [
        write(TEXT, "good.yaml"),
        write(FAULTY, "faulty.yaml"),
        write(SLIP, "slip.yaml"),
        write(b"\xff\xfe", "bytes.yaml"),
        write("a: [b", "cut.yaml"),
        tmp_path / "none.yaml",
    ]

    done = alone("guides", "validate", "--json", *paths)

    answer = json.loads(done.stdout)
    assert done.returncode == 1
    assert not answer["ok"]
    assert [one["file"] for one in answer["files"]] == [str(path) for path in paths]
    assert [one["valid"] for one in answer["files"]] == [True, False, True, False, False, False]
    assert answer["files"][1]["faults"][0] == {
        "where": "minutes",
        "line": line_of(FAULTY, "minutes: eleven"),
        "column": 10,
        "message": "must be integer",
    }
    assert [one["rule"] for one in answer["files"][2]["warnings"]] == ["praise"]
    assert "not UTF-8" in answer["files"][3]["faults"][0]["message"]
    assert "No such file" in answer["files"][5]["faults"][0]["message"]


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs a file without an end")
def test_a_file_without_an_end_is_refused(alone: Run):
    done = alone("guides", "validate", "/dev/zero")

    assert done.returncode == 1
    assert "256 KiB" in done.stdout


def test_the_schema_is_printed(alone: Run):
    assert json.loads(alone("guides", "schema").stdout) == paige.guide_schema()


def test_a_type_is_made_changed_and_shown(run: Run, write: Callable[..., Path]):
    run("orgs", "create", "Initech", "--plan", "growth")

    made = json.loads(run("guides", "create", write(TEXT), "--name", "Leavers", "--json").stdout)
    same = run("guides", "update", made["id"], write(TEXT))
    changed = json.loads(run("guides", "update", made["id"], write(SLIP), "--json").stdout)
    late = run("guides", "update", made["id"], write(TEXT), "--expected-version", "1")
    newest, first = run("guides", "show", made["id"]), run("guides", "show", made["id"], "--version", "1")

    assert (made["slug"], made["version"], made["warnings"]) == ("leavers", 1, [])
    assert same.stdout == f"{made['id']} (Leavers) is at version 1, as before.\n"
    assert changed["version"] == 2
    assert [warning["rule"] for warning in changed["warnings"]] == ["praise"]
    assert late.returncode == 1
    assert "version 2, not 1" in late.stderr
    assert yaml.safe_load(first.stdout) == dict(paige.shipped_guides())["churn"]
    assert paige.load_guide_text(newest.stdout).topics == paige.load_guide_text(SLIP).topics
    assert list(yaml.safe_load(newest.stdout)) == list(yaml.safe_load(SLIP))
    assert json.loads(run("guides", "show", made["id"], "--json").stdout) == yaml.safe_load(newest.stdout)


def test_without_a_name_a_type_is_called_as_its_guide_is(run: Run, write: Callable[..., Path]):
    run("orgs", "create", "Initech", "--plan", "growth")

    refused = run("guides", "create", write(TEXT))
    made = run("guides", "create", write(TEXT.replace("name: Churn", "name: Leavers")))

    assert refused.returncode == 1
    assert "Another interview type has this slug" in refused.stderr
    assert made.stdout.startswith("Created type_")
    assert "(Leavers), version 1." in made.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["guides", "create", "<file>"], "minutes: must be integer"),
        (["guides", "update", "type_nothing", "<file>"], "topics[0].priority"),
        (["guides", "update", "type_nothing", "<good>"], "interview type type_nothing not found"),
        (["guides", "show", "type_nothing"], "interview type type_nothing not found"),
        (["guides", "create", "<good>", "--org", "org_nobody"], "organization org_nobody not found"),
        (["guides", "create", "<good>"], "There is no organization yet"),
        (["guides", "show"], "Missing argument"),
    ],
)
def test_a_mistake_is_told_on_stderr(run: Run, write: Callable[..., Path], arguments: list[str], said: str):
    paths: dict[str, Any] = {"<file>": write(FAULTY), "<good>": write(TEXT, "good.yaml")}

    done = run(*(paths.get(argument, argument) for argument in arguments))

    assert done.returncode != 0
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_migrating_gives_organizations_what_a_release_brought(run: Run, database_url: str):
    import psycopg

    run("orgs", "create", "Initech", "--plan", "growth")
    with psycopg.connect(database_url) as conn:
        conn.execute("delete from interview_types where slug = 'nps'")

    first, second = run("migrate"), run("migrate")

    assert first.stdout == "New interview type in 1 organization(s): NPS follow-up\n"
    assert second.stdout == "Nothing to do: the database is up to date.\n"
