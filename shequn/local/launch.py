"""A script between the supervisor and a process: sets what only a child can set, then becomes it.

Run by path with `python -I -S`, so it imports the standard library only. It replaces
`preexec_fn`, which deadlocks in programs with threads. The pid stays the same.

    launch.py PARENT_PID DEATH_SIGNAL UID GID CAPABILITY -- PROGRAM [ARGUMENT ...]

UID, GID and CAPABILITY are -1 for "leave as it is".
"""

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1
_PR_GET_SECUREBITS = 27
_PR_SET_SECUREBITS = 28
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_SECBIT_NO_SETUID_FIXUP = 1 << 2
_CAPABILITY_VERSION_3 = 0x20080522
_CANNOT_RUN = 126  # the shell's status for "found but cannot be run"


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Sets(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def _check(result: int, what: str) -> int:
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def _become(libc: ctypes.CDLL, uid: int, gid: int, capability: int) -> None:
    """Change to `uid` and `gid`; keep `capability` (one bit below 32) through the exec."""
    if capability >= 0:
        # Without this bit access(2) of a non-root uid ignores capabilities, and PostgreSQL's
        # programs call access(2) on themselves.
        bits = _check(libc.prctl(_PR_GET_SECUREBITS, 0, 0, 0, 0), "prctl(GET_SECUREBITS)")
        wanted = bits | _SECBIT_NO_SETUID_FIXUP
        _check(libc.prctl(_PR_SET_SECUREBITS, wanted, 0, 0, 0), "prctl(SET_SECUREBITS)")
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    if capability >= 0:
        mask = 1 << capability
        header = _Header(_CAPABILITY_VERSION_3, 0)
        sets = (_Sets * 2)(_Sets(mask, mask, mask), _Sets(0, 0, 0))
        _check(libc.capset(ctypes.byref(header), sets), "capset")
        raised = libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability, 0, 0)
        _check(raised, "prctl(CAP_AMBIENT_RAISE)")


def _main(arguments: list[str]) -> None:
    parent, death_signal, uid, gid, capability = (int(word) for word in arguments[:5])
    command = arguments[6:]
    libc = ctypes.CDLL(None, use_errno=True)
    if uid >= 0:
        _become(libc, uid, gid, capability)
    if sys.platform == "linux":
        # After the change of user: that clears the signal.
        _check(libc.prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0), "prctl(SET_PDEATHSIG)")
        if os.getppid() != parent:  # the supervisor died before the signal was set
            sys.exit(_CANNOT_RUN)
    os.execvp(command[0], command)  # noqa: S606 - a shell is what we do not want


if __name__ == "__main__":
    try:
        _main(sys.argv[1:])
    except OSError as error:
        sys.stderr.write(f"cannot start {sys.argv[7:8]}: {error}\n")
        sys.exit(_CANNOT_RUN)
