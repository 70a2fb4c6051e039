"""`python -m shequn.contracts` writes the JSON Schemas after a compatible change."""

import sys

from shequn.contracts.snapshots import BreakingChangeError, write

try:
    write()
except BreakingChangeError as error:
    sys.exit(str(error))
