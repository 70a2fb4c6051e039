"""Which user a server runs as: PostgreSQL refuses root."""

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

from .errors import LocalStackError

_CAP_DAC_OVERRIDE = 1
_CAP_DAC_READ_SEARCH = 2
_STATUS = Path("/proc/self/status")
_READ_AND_ENTER = stat.S_IROTH | stat.S_IXOTH


@dataclass(frozen=True, slots=True)
class Identity:
    """A user to run as.

    Attributes:
        uid: user id.
        gid: group id.
        capability: number of the one Linux capability to keep, or None.
    """

    uid: int
    gid: int
    capability: int | None = None


def unprivileged(reads: Path, writes: Path) -> Identity | None:
    """Whom a server may run as: None (stay who we are) unless this process is root.

    Root becomes the owner of `writes` if an ordinary user made it, else `nobody`.
    A clone under /root, or a folder of pytest's, is closed to other users. Then the identity
    keeps one capability that opens paths, so that no folder's mode has to be changed.

    Args:
        reads: a program that the user must be able to run.
        writes: the folder that the user will own; its parent exists.

    Raises:
        LocalStackError: the paths are closed and this root has neither capability.
    """
    if os.geteuid() != 0:
        return None
    uid, gid = _owner(writes)
    if _open_to_others(reads.parent) and _open_to_others(writes.parent) and _runnable(reads):
        return Identity(uid, gid)
    held = _capabilities()
    if _CAP_DAC_READ_SEARCH in held and _runnable(reads):
        return Identity(uid, gid, _CAP_DAC_READ_SEARCH)
    if _CAP_DAC_OVERRIDE in held:
        return Identity(uid, gid, _CAP_DAC_OVERRIDE)
    msg = (
        f"PostgreSQL does not run as root, and the user with id {uid} cannot reach {reads} "
        f"or {writes}. Put both below folders that every user may enter (mode 755), "
        "or run as an ordinary user."
    )
    raise LocalStackError(msg)


def _owner(folder: Path) -> tuple[int, int]:
    if folder.exists() and (made := folder.stat()).st_uid != 0:
        return made.st_uid, made.st_gid
    user = pwd.getpwnam("nobody")
    return user.pw_uid, user.pw_gid


def _open_to_others(folder: Path) -> bool:
    folder = folder.resolve()
    return all(step.stat().st_mode & stat.S_IXOTH for step in (folder, *folder.parents))


def _runnable(program: Path) -> bool:
    return program.stat().st_mode & _READ_AND_ENTER == _READ_AND_ENTER


def _capabilities() -> set[int]:
    try:
        lines = _STATUS.read_text().splitlines()
    except OSError:
        return set()
    mask = next((int(line.split()[1], 16) for line in lines if line.startswith("CapPrm:")), 0)
    return {bit for bit in range(mask.bit_length()) if mask >> bit & 1}
