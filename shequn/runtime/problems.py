"""HTTP errors as problem bodies (RFC 9457)."""

from typing import Any

from starlette.responses import JSONResponse


def problem(status: int, title: str, detail: str, **extra: Any) -> JSONResponse:
    """Make an ``application/problem+json`` response.

    Args:
        status: HTTP status.
        title: what kind of problem, the same for all of the kind.
        detail: what happened here, and what to do.
        extra: further members, for programs.
    """
    return JSONResponse(
        {"type": "about:blank", "title": title, "status": status, "detail": detail, **extra},
        status_code=status,
        media_type="application/problem+json",
    )
