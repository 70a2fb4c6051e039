"""The `shequn` command."""
