"""Text that comes from elsewhere, made fit to be stored."""


def storable(text: str, longest: int) -> str:
    """Leave out what PostgreSQL and JSON do not store, and what is too long.

    Args:
        text: any text; NUL is left out, a lone surrogate becomes ``?``.
        longest: how many characters stay.
    """
    return text[: 2 * longest].replace("\0", "").encode("utf-8", "replace").decode()[:longest]


def text_of(value: object) -> str:
    """Give a foreign object as text, also when it fails to say what it is."""
    try:
        return str(value)
    except Exception:  # noqa: BLE001  # foreign code; its type will do
        return f"<{type(value).__name__}>"
