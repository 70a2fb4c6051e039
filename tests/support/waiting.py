"""Waits for conditions instead of sleeping."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def eventually(read: Callable[[], Awaitable[T]], holds: Callable[[T], bool], within: float = 15.0) -> T:
    """Read until the condition holds; give what was read. Fails with the last reading when the time is up."""
    deadline = asyncio.get_running_loop().time() + within
    while True:
        value = await read()
        if holds(value):
            return value
        if asyncio.get_running_loop().time() > deadline:
            raise AssertionError(f"not so within {within} s; last seen: {value!r}")
        await asyncio.sleep(0.02)
