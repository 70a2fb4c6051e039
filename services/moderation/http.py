"""What moderation answers over HTTP."""

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.moderation.store import read_decision
from shequn.runtime.failures import TransientError
from shequn.runtime.problems import problem
from shequn.runtime.store.engine import RETRYABLE, Store


def routes(store: Store) -> list[Route]:
    """Make the routes: ``GET /decisions/{community}/{group}/{message_id}``. A message id may contain slashes."""

    async def decision(request: Request) -> Response:
        community, group = request.path_params["community"], request.path_params["group"]
        message_id = request.path_params["message_id"]
        try:
            async with store.connection() as connection:
                found = await read_decision(connection, community, group, message_id)
        except (TransientError, *RETRYABLE) as error:
            return problem(503, "Store not reachable", f"The store does not answer ({error}); ask again later.")
        if found is None:
            return problem(
                404,
                "No such decision",
                f"No decision about message {message_id!r} of group {group!r} in community {community!r} is stored; "
                "check the three names, and whether the message has been judged yet.",
            )
        return Response(orjson.dumps(found), media_type="application/json")

    return [Route("/decisions/{community}/{group}/{message_id:path}", decision)]
