"""The command that sends a recording into a running stack."""
