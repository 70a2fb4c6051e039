"""Waits for the end of a process, or for the moment when only its end helps."""

import asyncio

from .process import ManagedProcess, describe_ending
from .restarts import RestartPolicy
from .spec import LivenessProbe


async def ended_or_ailing(process: ManagedProcess, look: LivenessProbe, policy: RestartPolicy) -> str:
    """Wait until a process that was ready has ended, or no longer lives; say which and why, in words.

    A process that no longer lives still runs when this returns.
    """
    ending = asyncio.ensure_future(process.wait())
    ailing = asyncio.ensure_future(_ailing(look, policy))
    either: set[asyncio.Future[int] | asyncio.Future[str]] = {ending, ailing}
    try:
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    finally:
        ending.cancel()
        ailing.cancel()
    if ending.done() and not ending.cancelled():
        return f"it {describe_ending(ending.result())}"
    return ailing.result()


async def _ailing(look: LivenessProbe, policy: RestartPolicy) -> str:
    bad = 0
    while True:
        await asyncio.sleep(policy.look_every)
        ailment = await look()
        bad = 0 if ailment is None else bad + 1
        if ailment is not None and (ailment.certain or bad >= policy.looks):
            return ailment.why if ailment.certain else f"{ailment.why}, {bad} times in a row"
