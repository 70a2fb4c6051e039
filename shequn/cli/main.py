"""Puts the commands together."""

import typer

import shequn
from shequn.cli import dead_letters, definitions, demo, replay, stack

app = typer.Typer(
    name="shequn",
    help="Runs communities that pay (社群运营): definitions, the local stack, dead letters.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)
app.command()(definitions.check)
app.command()(definitions.plan)
app.command()(definitions.apply)
app.command()(stack.up)
app.command()(demo.demo)
app.command(context_settings=replay.PASSED_ON)(replay.replay)
app.add_typer(dead_letters.app, name="dlq")


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(shequn.__version__)
