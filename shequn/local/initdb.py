"""Making a PostgreSQL cluster, once."""

import asyncio
import os
import shutil
import signal
import tempfile
from pathlib import Path

from .errors import DatabaseInitError
from .identity import Identity
from .process import launch_argv

_OPTIONS = (
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",  # sorts the same on every machine; the wheel has no ICU
    "--builtin-locale=C.UTF-8",
    "--auth=scram-sha-256",
    "--no-instructions",
    # The password is 192 random bits: stretching it adds nothing, and the default of 4,096 rounds
    # costs clients written in Python some 10 ms a connection.
    "--set=scram_iterations=1",
)


async def initialise(binaries: Path, cluster: Path, user: str, password: str, identity: Identity | None) -> None:
    """Make a cluster in `cluster`; an interrupted attempt leaves no half-made one there.

    Args:
        binaries: folder of `initdb`.
        cluster: where the data goes; must not exist.
        user: name of the database's superuser.
        password: that user's.
        identity: whom the data will belong to; None is this process's user.

    Raises:
        DatabaseInitError: `cluster` is in the way, or initdb failed; with its output.
    """
    draft = cluster.with_name(cluster.name + ".new")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True, mode=0o700)
    with tempfile.NamedTemporaryFile("w", dir=cluster.parent, prefix=".pw-") as secret:
        secret.write(password)
        secret.flush()
        if identity is not None:
            os.chown(draft, identity.uid, identity.gid)
            os.chown(secret.name, identity.uid, identity.gid)
        places = (f"--pgdata={draft}", f"--username={user}", f"--pwfile={secret.name}")
        status, output = await _run((str(binaries / "initdb"), *places, *_OPTIONS), identity)
    if status != 0:
        shutil.rmtree(draft, ignore_errors=True)
        reason = f"initdb ended with status {status} and said:\n{output.strip()}"
        raise DatabaseInitError(cluster, reason)
    try:
        draft.rename(cluster)
    except OSError as error:
        reason = f"the new cluster cannot take its place ({error}). Move that folder away."
        raise DatabaseInitError(cluster, reason) from error


async def _run(argv: tuple[str, ...], identity: Identity | None) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *launch_argv(argv, identity),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        output, _ = await process.communicate()
    except asyncio.CancelledError:
        os.killpg(process.pid, signal.SIGKILL)  # initdb, and the server that it runs
        await process.wait()
        raise
    return process.returncode or 0, output.decode(errors="replace")
