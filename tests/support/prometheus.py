"""A real Prometheus, and what it answers."""

import json
import math
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from shequn.local import ProcessSpec, http_ok
from shequn.local.ports import free_port
from shequn.local.scraping import scrape_config
from shequn.local.testing import running

BINARY = shutil.which("prometheus")
Labels = frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Prometheus:
    """A running server."""

    url: str
    client: httpx2.AsyncClient

    async def ask(self, path: str, **parameters: str) -> Any:
        """Ask the HTTP API; its error is the test's."""
        answer = await self.client.get(f"{self.url}/api/v1/{path}", params=parameters)
        content = json.loads(answer.content)
        assert content["status"] == "success", content
        return content["data"]

    async def values(self, expr: str) -> dict[Labels, float]:
        """The current value of every series; those without a number are left out."""
        data = await self.ask("query", query=expr)
        samples = [data["result"]] if data["resultType"] == "scalar" else [item["value"] for item in data["result"]]
        names = [{}] if data["resultType"] == "scalar" else [item["metric"] for item in data["result"]]
        found = {frozenset(labels.items()): float(value) for labels, (_, value) in zip(names, samples, strict=True)}
        return {labels: value for labels, value in found.items() if not math.isnan(value)}

    async def number(self, expr: str) -> float | None:
        """The value of an expression with at most one series."""
        found = await self.values(expr)
        assert len(found) <= 1, found
        return next(iter(found.values()), None)

    async def by(self, expr: str, label: str) -> dict[str, float]:
        """The values of an expression by one label."""
        return {dict(labels)[label]: value for labels, value in (await self.values(expr)).items()}

    async def label_values(self, selector: str, label: str) -> list[str]:
        """What fills a variable of a dashboard."""
        found: list[str] = await self.ask(f"label/{label}/values", **{"match[]": selector})
        return found


@asynccontextmanager
async def prometheus(folder: Path, addresses: Mapping[str, str], rules: list[str]) -> AsyncIterator[Prometheus]:
    """Run Prometheus with a configuration for local ports, a scrape a second, until the end of the block."""
    assert BINARY is not None
    config, port = folder / "prometheus.json", free_port()
    config.write_text(scrape_config(addresses, seconds=1, rules=rules), encoding="utf-8")
    url = f"http://127.0.0.1:{port}"
    options = (f"--config.file={config}", f"--storage.tsdb.path={folder / 'tsdb'}")
    spec = ProcessSpec(
        name="prometheus",
        argv=(BINARY, *options, f"--web.listen-address=127.0.0.1:{port}"),
        ready=http_ok(f"{url}/-/ready"),
    )
    async with running(spec, folder / "prometheus.log"), httpx2.AsyncClient(timeout=10.0, trust_env=False) as client:
        yield Prometheus(url, client)
