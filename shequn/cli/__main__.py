"""`python -m shequn.cli` is `shequn`."""

from shequn.cli.entry import main

main()
