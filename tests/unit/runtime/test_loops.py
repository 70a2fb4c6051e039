"""Background loops."""

import asyncio

import pytest
from prometheus_client import CollectorRegistry

from shequn.runtime import loops
from shequn.runtime.loops import Loops
from shequn.runtime.telemetry import RuntimeMetrics


async def test_a_step_that_raises_what_nobody_foresaw_is_logged_counted_and_tried_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(loops, "_PAUSE_SECONDS", 0.001)
    registry = CollectorRegistry()
    running = Loops(RuntimeMetrics(registry))
    failures = [ValueError("odd"), KeyError("odder")]
    succeeded = asyncio.Event()

    async def step() -> float:
        if failures:
            raise failures.pop()
        succeeded.set()
        return 60.0

    running.add("sweep", step)
    running.start()
    await asyncio.wait_for(succeeded.wait(), timeout=10)
    assert running.dead() == []
    await running.stop()
    assert registry.get_sample_value("shequn_loop_failures_total", {"loop": "sweep"}) == 2
    assert "ValueError: odd" in capsys.readouterr().out
