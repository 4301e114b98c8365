"""Ends with its parent, never runs as root: what must happen inside a new process before PostgreSQL may take it over.

`embedded` runs this file by its path, so it imports nothing but the standard library, and fast:

    python -I launch.py [--namespace UID] [--user UID:GID] [--parent PID --signal N] [--watch FD] -- PROGRAM ARGUMENTS
    python -I launch.py [--namespace UID] [--user UID:GID] --reach FOLDER

The program replaces this one by `exec`, so it keeps the process id and stays a direct child of whoever started us.
"""

import argparse
import ctypes
import os
import select
import signal
import sys
import threading
import time
from pathlib import Path

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_CLONE_NEWUSER = 0x10000000  # linux/sched.h
_REFUSED = 97  # the exit status for "this identity is not to be had here"


def die_with_parent(parent: int, signal_number: int) -> bool:
    """Have the kernel send us `signal_number` when the thread that started us ends. False where it cannot.

    Changing user or entering a namespace clears this, so it comes last. Exits at once if the parent is gone already.
    """
    if not sys.platform.startswith("linux"):
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal_number, 0, 0, 0) != 0:
        return False
    if os.getppid() != parent:
        os._exit(1)
    return True


def watch_parent(parent: int, *, tell: bool, grace: float) -> None:
    """A thread that ends this process `grace` seconds after its parent, whatever it is doing then.

    With `tell` it sends SIGTERM first, for where the kernel does not (macOS).
    """

    def look() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        if tell:
            os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(grace)
        os._exit(1)

    threading.Thread(target=look, name="watch-parent", daemon=True).start()


def _enter_namespace(uid: int) -> None:
    """Become `uid` in a user namespace that maps it to who we are: files stay ours, and PostgreSQL sees no root."""
    outer_uid, outer_gid = os.geteuid(), os.getegid()
    libc = ctypes.CDLL(None, use_errno=True)  # os.unshare came with Python 3.12
    if libc.unshare(_CLONE_NEWUSER) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{uid} {outer_uid} 1")
    Path("/proc/self/gid_map").write_text(f"{uid} {outer_gid} 1")


def _become(uid: int, gid: int) -> None:
    os.setgroups([gid])
    os.setgid(gid)
    os.setuid(uid)


def _watch(alive: int, signal_number: int) -> None:
    """Fork a process that signals us when the other end of the pipe `alive` closes, which is when our parent ends.

    The watcher is our child: while its parent is us, our process id cannot have been given to anybody else.
    """
    watched = os.getpid()
    if os.fork() != 0:
        os.close(alive)
        return
    os.closerange(0, alive)
    os.closerange(alive + 1, 1024)
    while os.getppid() == watched:
        readable, _, _ = select.select([alive], [], [], 1.0)
        if readable:
            if os.getppid() == watched:
                os.kill(watched, signal_number)
            break
    os._exit(0)


def _reachable(folder: str) -> bool:
    return os.access(folder, os.X_OK, effective_ids=os.access in os.supports_effective_ids)


def main(arguments: list[str]) -> int:
    """Read the arguments above and do it. Returns only for `--reach` and when something is refused."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--namespace", type=int)
    parser.add_argument("--user")
    parser.add_argument("--parent", type=int)
    parser.add_argument("--signal", type=int, default=int(signal.SIGINT))
    parser.add_argument("--watch", type=int)
    parser.add_argument("--reach")
    parser.add_argument("program", nargs="*")
    chosen = parser.parse_args(arguments)
    # A shell may have started our parent with this one ignored, which exec would keep.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        if chosen.namespace is not None:
            _enter_namespace(chosen.namespace)
        if chosen.user:
            uid, _, gid = chosen.user.partition(":")
            _become(int(uid), int(gid))
    except OSError as error:
        sys.stderr.write(f"{error}\n")
        return _REFUSED
    if chosen.reach:
        return 0 if _reachable(chosen.reach) else 1
    if chosen.parent:
        os.setpgid(0, 0)  # Ctrl-C reaches the parent alone, which then ends us in order
        if chosen.watch is not None:
            _watch(chosen.watch, chosen.signal)
        else:
            die_with_parent(chosen.parent, chosen.signal)
    try:
        os.execv(chosen.program[0], chosen.program)  # noqa: S606  (the program is the PostgreSQL that our parent found)
    except OSError as error:
        sys.stderr.write(f"{chosen.program[0]}: {error.strerror}\n")
    return 126


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
