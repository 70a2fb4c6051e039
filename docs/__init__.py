"""Documentation; `reference` is written by code."""
