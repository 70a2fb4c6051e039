"""``python -m services.intake.replay``; people call it ``shequn replay``."""

import signal

if __name__ == "__main__":
    # Ctrl-C in the second that the imports take ends the process at once; the command listens for it itself.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from services.intake.replay.command import app

    app(prog_name="shequn replay")
