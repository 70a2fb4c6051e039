"""Writes the reference pages: ``python -m docs.reference``."""

from docs.reference import asyncapi, metrics
from docs.reference.processes import processes


def write() -> None:
    """Write all pages; a document whose process is gone goes too."""
    services = processes()
    page = metrics.rendered({name: service.registry for name, service in services.items()})
    metrics.PAGE.write_text(page, encoding="utf-8")
    asyncapi.FOLDER.mkdir(exist_ok=True)
    for old in asyncapi.FOLDER.glob("*.json"):
        if old.stem not in services:
            old.unlink()
    for name, service in services.items():
        (asyncapi.FOLDER / f"{name}.json").write_text(asyncapi.rendered(service), encoding="utf-8")


if __name__ == "__main__":
    write()
