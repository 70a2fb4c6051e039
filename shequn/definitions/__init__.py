"""Definition files: what operators write about a community, checked and compiled.

::

    result = load_folder(Path("samples/reading-club"))   # raises DefinitionError with every problem
    result.definition                                     # a CommunityDefinition of version 0
    result.notices                                        # accepted, but worth knowing

``diff`` compares two versions for `plan`; ``scorecard`` tells how complete a community is; ``write_schemas`` exports
the JSON Schemas that editors use.
"""

from shequn.definitions.diff import Change, diff
from shequn.definitions.errors import DefinitionError, Notice, Problem
from shequn.definitions.loader import LoadResult, load_folder
from shequn.definitions.schema import write_schemas
from shequn.definitions.scorecard import IsoocScore, Part, scorecard

__all__ = [
    "Change",
    "DefinitionError",
    "IsoocScore",
    "LoadResult",
    "Notice",
    "Part",
    "Problem",
    "diff",
    "load_folder",
    "scorecard",
    "write_schemas",
]
