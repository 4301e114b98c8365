"""`afterword guides …`: check a guide file without a database, and keep an organization's interview types."""

import json
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Protocol, TypeVar

import typer
import yaml

from afterword import accounts, interview_types, paige
from afterword.db import Tx

T = TypeVar("T")

# A guide is at most a quarter of this; a file that never ends is not read to its end.
_ENOUGH = 1024 * 1024

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Org = Annotated[str | None, typer.Option(help="The organization's id; not needed while there is only one.")]
File = Annotated[Path, typer.Argument(help="A guide as YAML or JSON.", dir_okay=False)]
Files = Annotated[list[Path], typer.Argument(help="Guides as YAML or JSON.", dir_okay=False)]
TypeId = Annotated[str, typer.Argument(help="The interview type's id, `type_…`.")]


class Run(Protocol):
    """Does some work in one transaction on the server's database."""

    def __call__(self, work: Callable[[Tx], Awaitable[T]], /) -> T:
        """What the work gave."""
        ...


OrganizationOf = Callable[[Tx, str | None], Awaitable[accounts.Organization]]


def guide_commands(run: Run, organization_of: OrganizationOf) -> typer.Typer:
    """The commands; `run` reaches the database, `organization_of` finds the organization that is meant."""
    guides = typer.Typer(no_args_is_help=True, help="Interview guides.")

    @guides.command("validate")
    def validate(
        files: Files,
        strict: Annotated[bool, typer.Option("--strict", help="Let warnings fail too.")] = False,
        as_json: AsJson = False,
    ) -> None:
        """Check guides: faults make them unusable, warnings say where a wording breaks a rule of the craft."""
        checked = {str(file): _check(file) for file in files}
        failed = any(one.faults or (strict and one.warnings) for one in checked.values())
        if as_json:
            _print_json({"ok": not failed, "files": [_found(file, one) for file, one in checked.items()]})
        else:
            for file, one in checked.items():
                _tell(file, one)
        sys.exit(1 if failed else 0)

    @guides.command("create")
    def create(
        file: File,
        org: Org = None,
        name: Annotated[str | None, typer.Option(help="The type's name; without it the guide's own.")] = None,
        as_json: AsJson = False,
    ) -> None:
        """Make an interview type from a guide."""
        checked = _usable(file)

        async def work(tx: Tx) -> interview_types.InterviewType:
            organization = await organization_of(tx, org)
            return await interview_types.create(tx, organization.id, name or str(checked.data["name"]), checked)

        made = run(work)
        _print_type(made, checked.warnings, as_json, f"Created {made.id} ({made.name}), version {made.version}.")

    @guides.command("update")
    def update(
        type_id: TypeId,
        file: File,
        expected_version: Annotated[
            int | None, typer.Option(min=1, help="Refuse if this is not the newest version.")
        ] = None,
        as_json: AsJson = False,
    ) -> None:
        """Give an interview type another guide, which becomes its next version."""
        checked = _usable(file)

        async def work(tx: Tx) -> tuple[int, interview_types.InterviewType]:
            org_id = await interview_types.organization_of(tx, type_id)
            before = await interview_types.get(tx, org_id, type_id)
            after = await interview_types.update(tx, org_id, type_id, guide=checked, expected_version=expected_version)
            return before.version, after

        before, after = run(work)
        told = f"{after.id} ({after.name}) is at version {after.version}"
        _print_type(after, checked.warnings, as_json, f"{told}." if after.version > before else f"{told}, as before.")

    @guides.command("show")
    def show(
        type_id: TypeId,
        version: Annotated[int | None, typer.Option(min=1, help="An earlier version.")] = None,
        as_json: AsJson = False,
    ) -> None:
        """Print an interview type's guide as YAML."""

        async def work(tx: Tx) -> Mapping[str, Any]:
            org_id = await interview_types.organization_of(tx, type_id)
            found = await interview_types.get(tx, org_id, type_id)
            return await interview_types.raw_guide(tx, org_id, type_id, version or found.version)

        guide = run(work)
        if as_json:
            _print_json(guide)
        else:
            sys.stdout.write(yaml.safe_dump(dict(guide), sort_keys=False, allow_unicode=True, width=10_000))

    @guides.command("schema")
    def schema() -> None:
        """Print the JSON schema of a guide, for editors that check while one writes."""
        sys.stdout.write(json.dumps(paige.guide_schema(), indent=2) + "\n")

    del validate, create, update, show, schema  # typer holds them
    return guides


def _check(file: Path) -> paige.Checked:
    """What is to be said of a file, also when it cannot be read."""
    try:
        with file.open("rb") as opened:
            return paige.check_guide(opened.read(_ENOUGH).decode())
    except UnicodeDecodeError as error:
        what = f"is not UTF-8: byte {error.start} cannot be read"
    except OSError as error:
        what = f"cannot be read: {error.strerror or error}"
    return paige.Checked({}, None, (paige.Finding("guide", what),), ())


def _usable(file: Path) -> paige.Checked:
    """A guide without faults. Exits with a line for each fault otherwise."""
    checked = _check(file)
    if checked.faults:
        sys.stderr.write("".join(f"{line}\n" for line in _lines(str(file), checked.faults)))
        sys.exit(1)
    return checked


def _tell(file: str, checked: paige.Checked) -> None:
    for line in _lines(file, checked.faults):
        sys.stdout.write(f"{line}\n")
    for line in _lines(file, checked.warnings):
        sys.stdout.write(f"{line}\n")
    if not checked.faults and not checked.warnings:
        sys.stdout.write(f"{file}: in order\n")


def _lines(file: str, findings: Sequence[paige.Finding]) -> list[str]:
    """`FILE:LINE: place: message`, as compilers write it and editors follow it."""
    return [
        f"{file}:{'' if one.line is None else f'{one.line}:'} {'' if one.where == 'guide' else f'{one.where}: '}"
        f"{f'warning ({one.rule}): ' if one.rule else ''}{one.message}"
        for one in findings
    ]


def _found(file: str, checked: paige.Checked) -> dict[str, Any]:
    return {
        "file": file,
        "valid": not checked.faults,
        "faults": [
            {"where": one.where, "line": one.line, "column": one.column, "message": one.message}
            for one in checked.faults
        ],
        "warnings": _warnings(checked.warnings),
    }


def _warnings(warnings: Sequence[paige.Finding]) -> list[dict[str, Any]]:
    return [{"where": one.where, "line": one.line, "rule": one.rule, "message": one.message} for one in warnings]


def _print_type(
    one: interview_types.InterviewType, warnings: Sequence[paige.Finding], as_json: bool, text: str
) -> None:
    if as_json:
        answer = {"id": one.id, "slug": one.slug, "name": one.name, "version": one.version}
        _print_json({**answer, "warnings": _warnings(warnings)})
    else:
        sys.stdout.write(f"{text}\n")
        if warnings:
            sys.stdout.write(f"{len(warnings)} warning(s); `afterword guides validate` shows them.\n")


def _print_json(answer: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
