"""Who PostgreSQL runs as. It refuses to be root, so when we are, somebody else has to be found."""

import os
import pwd
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from afterword.db import launch
from afterword.db.folder import EmbeddedError

Way = Literal["auto", "namespace", "user"]


@dataclass(frozen=True, slots=True)
class Identity:
    """Who PostgreSQL runs as: arguments for `launch`, and who its files must belong to."""

    arguments: tuple[str, ...]
    uid: int
    gid: int

    def reaches(self, folder: Path) -> bool:
        """Whether this user can get into the folder."""
        return self._try(folder) == 0

    def refused(self) -> bool:
        """Whether this machine does not let us become this user at all."""
        return self._try(Path("/")) != 0

    def own(self, path: Path) -> None:
        """Give a file or folder to this user."""
        if os.geteuid() == 0:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def own_all(self, folder: Path) -> None:
        """The same for all that is inside."""
        for parent, folders, files in os.walk(folder):
            for name in (*folders, *files):
                self.own(Path(parent, name))
        self.own(folder)

    def _try(self, folder: Path) -> int:
        if not self.arguments:
            return 0 if os.access(folder, os.X_OK) else 1
        return subprocess.run(  # noqa: S603  (our own program)
            [sys.executable, "-I", launch.__file__, *self.arguments, "--reach", str(folder)],
            stderr=subprocess.DEVNULL, check=False, cwd="/",
        ).returncode  # fmt: skip


def identify(data_dir: Path, how: Way) -> Identity:
    """An ordinary user stays who they are. Root enters a user namespace or, where that is refused, changes user."""
    uid, gid = os.geteuid(), os.getegid()
    straight = Identity((), uid, gid)
    if uid != 0 and how == "auto" and _has_name(uid):
        return straight
    if how != "user":
        # initdb wants a user with a name; any will do, the files are ours whatever it is called.
        inside = next((user.pw_uid for user in (_user("nobody"), *pwd.getpwall()) if user and user.pw_uid), None)
        namespace = Identity(("--namespace", str(inside)), uid, gid)
        if inside is not None and not namespace.refused():
            if namespace.reaches(data_dir):
                return namespace
            raise EmbeddedError(
                f"PostgreSQL does not run as root, and without root's powers {data_dir} cannot be reached, because a "
                "folder above it belongs to another user. Run Afterword as that user, or name another folder in "
                "AFTERWORD_DATA_DIR."
            )
        if uid != 0:
            return straight
    user = _user("postgres") or _user("nobody")
    if user is None:
        raise EmbeddedError("PostgreSQL does not run as root, and there is no user postgres or nobody. Run as a user.")
    other = Identity(("--user", f"{user.pw_uid}:{user.pw_gid}"), user.pw_uid, user.pw_gid)
    if other.reaches(data_dir.parent):
        # Only that user's group may pass through, and only through: it can list nothing in here.
        os.chown(data_dir, -1, user.pw_gid)
        data_dir.chmod(data_dir.stat().st_mode & 0o7777 | 0o010)
    if not other.reaches(data_dir):
        raise EmbeddedError(
            f"PostgreSQL does not run as root, and the user {user.pw_name}, who would run it, cannot reach {data_dir}. "
            "Name a folder that everybody can reach in AFTERWORD_DATA_DIR, such as /var/lib/afterword, or run "
            "Afterword as an ordinary user."
        )
    return other


def _user(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _has_name(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True
