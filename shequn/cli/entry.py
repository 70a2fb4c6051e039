"""Where the command begins."""

import signal


def main() -> None:
    """Run the command line.

    The commands take a second to import. Ctrl-C in that second ends the process at once, without a traceback; commands
    that have something to stop listen for it themselves.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from shequn.cli.main import app  # noqa: PLC0415

    app()
