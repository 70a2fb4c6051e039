"""`python -m shequn.cli` is `shequn`."""

from shequn.cli.main import main

main()
