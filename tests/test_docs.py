"""The documentation says everything there is, and the tree keeps its promises about itself."""

import re
import subprocess
from pathlib import Path

import pytest
import typer

from afterword import app, cli, errors, paige
from afterword.api import openapi
from afterword.paige import guard
from afterword.settings import Settings

ROOT = Path(__file__).parent.parent
TRACKED = [
    ROOT / name
    for name in subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
]


def headings(page: str) -> set[str]:
    """The `###` headings of a page in docs/."""
    return set(re.findall(r"^### (.+)$", (ROOT / "docs" / page).read_text(), re.MULTILINE))


def test_every_setting_has_its_heading_and_every_heading_its_setting():
    assert headings("settings.md") == {f"AFTERWORD_{name.upper()}" for name in Settings.model_fields}


def test_every_command_has_its_heading_and_every_heading_its_command():
    root = typer.main.get_command(cli.cli)
    commands = set()
    for name, command in root.commands.items():  # type: ignore[attr-defined]  # typer's root is always a group
        if command.hidden:
            continue
        inner = getattr(command, "commands", None)
        commands |= {f"afterword {name} {one}" for one in inner} if inner else {f"afterword {name}"}
    assert headings("cli.md") == commands


def test_every_route_has_its_heading_and_every_heading_its_route():
    schema = openapi.schema(app.create_app(Settings(), "postgresql:///nowhere").fastapi)
    routes = {f"{method.upper()} {path}" for path, operations in schema["paths"].items() for method in operations}
    assert headings("api.md") == routes


def test_the_example_in_the_guide_to_guides_is_a_guide_without_a_slip():
    [example] = re.findall(r"^```yaml\n(.+?)^```", (ROOT / "docs" / "guides.md").read_text(), re.MULTILINE | re.DOTALL)
    checked = paige.check_guide(example)
    assert (checked.faults, checked.warnings) == ((), ())


def test_the_guide_to_guides_knows_every_guide_and_every_word_of_the_format():
    page = (ROOT / "docs" / "guides.md").read_text()
    for slug, guide in paige.shipped_guides():
        assert re.search(rf"^\| `{slug}` \| .+ \| {guide['minutes']} \|$", page, re.MULTILINE), slug
    schema = paige.guide_schema()
    parts = [schema, *(schema["$defs"][name] for name in ("topic", "slot", "branch", "pack", "topic_wording"))]
    named = {key for part in parts for key in part["properties"]}
    assert {key for key in named if not re.search(rf"`{key}[`:]|^ *{key}:|[{{ ]{key}:", page, re.MULTILINE)} == set()


def test_the_craft_rules_in_the_guide_to_guides_hold():
    page = (ROOT / "docs" / "guides.md").read_text().partition("## The craft")[2]
    rows = re.findall(r"^\| ([a-z/ ]+) \| (.+?) \| (.+?) \|$", page, re.MULTILINE)
    told = [(bad, good) for rule, bad, good in rows if rule not in ("rule", "short")]
    assert len(told) >= 7
    for bad, good in told:
        assert guard.lint(bad), bad
        assert not guard.lint(good), good


def test_every_error_code_is_explained():
    codes = {kind.code for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)}
    explained = set(re.findall(r"^\| \d{3} \| `(\w+)` \|", (ROOT / "docs" / "api.md").read_text(), re.MULTILINE))
    assert codes - explained <= {"forbidden"}, "forbidden is for pages only"


def test_the_locks_hold_versions_and_hashes_and_no_addresses():
    for lock in (ROOT / "requirements").glob("*.txt"):
        text = lock.read_text()
        assert "://" not in text
        pinned = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
        assert pinned
        assert all("==" in line for line in pinned)
        assert text.count("--hash=sha256:") >= len(pinned)


def test_every_dependency_says_why_it_is_there():
    why = (ROOT / "docs" / "dependencies.md").read_text()
    project = (ROOT / "pyproject.toml").read_text()
    names = re.findall(r'^\s+"([a-z][a-z0-9-]*)(?:\[[a-z]+\])?>=', project, re.MULTILINE)
    assert len(names) > 20
    assert [name for name in names if name.removeprefix("pytest-") not in why] == []


def test_no_file_is_longer_than_a_person_reads():
    lengths = {file.name: len(file.read_text().splitlines()) for file in TRACKED if file.suffix == ".py"}
    assert {name: length for name, length in lengths.items() if length > 800} == {}


def test_the_tree_holds_nothing_that_others_wrote():
    assert [file for file in TRACKED if re.search(r"\.min\.(js|css)$|/vendor/|/vendored/", str(file))] == []


@pytest.mark.parametrize("page", [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")], ids=lambda page: page.name)
def test_every_link_between_pages_leads_somewhere(page: Path):
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_readme_opens_with_the_two_commands():
    opening = (ROOT / "README.md").read_text()[:700]
    assert "make run" in opening
    assert "make test" in opening


@pytest.mark.parametrize("record", sorted((ROOT / "docs" / "decisions").glob("*.md")), ids=lambda record: record.name)
def test_a_decision_record_is_at_most_sixty_lines(record: Path):
    assert len(record.read_text().splitlines()) <= 60
