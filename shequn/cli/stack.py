"""`shequn up`: the whole stack on this machine."""

from pathlib import Path
from typing import Annotated

import typer

from shequn.cli.context import DEFAULT_DATA, run, stack_settings, tell
from shequn.local import EndedBySignals, LocalStack, standard_applications
from shequn.local.scraping import scrape_config


def up(data: Annotated[Path, typer.Option(help="Folder of all data; kept.")] = DEFAULT_DATA) -> None:
    """Run NATS, PostgreSQL, Prefect and all services until Ctrl-C. The data stays in its folder."""
    run(lambda: _up(data))


async def _up(data: Path) -> None:
    settings = stack_settings(data)
    async with EndedBySignals(), LocalStack(settings, applications=standard_applications(settings)) as stack:
        tell(f"starting in {data} …")
        await stack.wait_ready()
        for name, address in addresses(stack).items():
            tell(f"{name:>12}  {address}")
        services = {name: address for name, address in addresses(stack).items() if name != "prefect"}
        scraping = data / "prometheus.yaml"
        scraping.write_text(scrape_config(services), encoding="utf-8")
        tell(f"ready. Ctrl-C stops everything. Metrics: prometheus --config.file={scraping}")
        await stack.watch(tell)


def addresses(stack: LocalStack) -> dict[str, str]:
    """Give what a person may open, by name."""
    found = {
        name: process.spec.urls["http"] for name, process in stack.processes.items() if "http" in process.spec.urls
    }
    if stack.prefect_api_url is not None:
        found["prefect"] = stack.prefect_api_url.removesuffix("/api")
    return found
