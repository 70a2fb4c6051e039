"""`shequn replay`: a recording into a running stack. Intake owns the formats, so its own command does the work."""

import os
import sys

import typer

_MODULE = "services.intake.replay"  # named as the stack names the modules it runs, never imported
PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


def replay(context: typer.Context) -> None:
    """Send a recording (JSON lines) into a running stack. Its options: `shequn replay --help`."""
    # In place of this process: signals, standard input and exit code are the command's own.
    os.execv(sys.executable, [sys.executable, "-m", _MODULE, *context.args])  # noqa: S606
