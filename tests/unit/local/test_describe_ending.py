"""Exit statuses in words."""

import pytest

from shequn.local.process import describe_ending


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (0, "exited with status 0"),
        (3, "exited with status 3"),
        (-9, "was ended by SIGKILL"),
        (-15, "was ended by SIGTERM"),
        (-62, "was ended by signal 62"),
    ],
)
def test_describe_ending(status: int, words: str) -> None:
    assert describe_ending(status) == words
