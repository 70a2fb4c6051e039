"""`./run bench NAME`: runs one bench."""

import typer

from bench.spine import command as spine

app = typer.Typer(
    name="bench",
    help="Benches: what the system does in a second on this machine.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)
app.command("spine")(spine.spine)


@app.callback()
def _group() -> None:
    """Keep the bench's name a word of the command line, however many benches there are."""


if __name__ == "__main__":
    app()
