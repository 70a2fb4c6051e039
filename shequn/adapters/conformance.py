"""What every adapter must do, as tests to inherit.

A subclass named ``Test…`` in an adapter's tests says how the adapter is made and gives recorded examples; pytest then
runs the inherited tests. Nothing here imports pytest, so the kit works with any runner that calls ``test_`` methods::

    class TestGeneric(ReceiverConformance):
        def make_adapter(self): ...
        def context(self): ...
        def accepted(self): ...
        def malformed(self): ...
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any, ClassVar

from shequn.adapters.base import Adapter, RawRequest, ReceiveContext, Receives
from shequn.adapters.errors import MalformedError, SignatureError
from shequn.adapters.executor_conformance import ExecutorConformance, require

__all__ = ["GARBAGE", "ExecutorConformance", "ReceiverConformance", "RecordedRequest"]

_A_DAY = timedelta(days=1)
_LATER = timedelta(seconds=90)
GARBAGE = (b"", b"\xff\xfe", b"null", b"[]", b'"text"', b"{", b'{"a":' * 5_000, b"[" * 100_000, b'{"a": "\\ud800"}')
"""Bodies that no platform sends. An adapter refuses them, or finds nothing of interest in them."""


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """A request as the platform sent it, and what it means.

    Attributes:
        name: what it shows; stands in the failure message.
        request: the request, rightly signed, received within its time.
        events: type and expected data of each event; only the fields that are given are compared.
    """

    name: str
    request: RawRequest
    events: tuple[tuple[str, dict[str, Any]], ...]


class ReceiverConformance(ABC):
    """Tests of an adapter that takes requests."""

    signs_time: ClassVar[bool] = True
    """False for platforms whose signatures carry no time."""

    @abstractmethod
    def make_adapter(self) -> Any:
        """Make the adapter."""

    @abstractmethod
    def context(self) -> ReceiveContext:
        """Give the context of acceptance, with a definition of the adapter's community."""

    @abstractmethod
    def accepted(self) -> Sequence[RecordedRequest]:
        """Give requests that the adapter takes; at least one holds text that is not ASCII."""

    @abstractmethod
    def malformed(self) -> Sequence[RawRequest]:
        """Give requests whose bodies are not what the channel takes; they need not be signed."""

    def forged(self) -> Sequence[RawRequest]:
        """Give more requests whose signature must be refused."""
        return ()

    def test_manifest_names_its_capability(self) -> None:
        """It can receive."""
        adapter = self.make_adapter()
        require(isinstance(adapter, Adapter), "the adapter does not inherit shequn.adapters.Adapter")
        require(isinstance(adapter, Receives), "the adapter has no verify() and normalise()")

    def test_right_signatures_are_accepted(self) -> None:
        """A signature by the platform passes."""
        adapter = self.make_adapter()
        for case in self.accepted():
            adapter.verify(case.request)

    def test_changed_body_is_refused(self) -> None:
        """One byte more breaks the signature."""
        adapter = self.make_adapter()
        for case in self.accepted():
            changed = replace(case.request, body=case.request.body + b" ")
            _raises(SignatureError, partial(adapter.verify, changed), case.name)

    def test_unsigned_request_is_refused(self) -> None:
        """Without headers nobody is believed."""
        adapter = self.make_adapter()
        for case in self.accepted():
            unsigned = replace(case.request, headers={})
            _raises(SignatureError, partial(adapter.verify, unsigned), case.name)

    def test_forged_signatures_are_refused(self) -> None:
        """Every forged example is refused."""
        adapter = self.make_adapter()
        for number, request in enumerate(self.forged(), 1):
            _raises(SignatureError, partial(adapter.verify, request), f"forged request {number}")

    def test_old_request_is_refused(self) -> None:
        """What was recorded yesterday does not count today."""
        if not self.signs_time:
            return
        adapter = self.make_adapter()
        for case in self.accepted():
            late = replace(case.request, received=case.request.received + _A_DAY)
            _raises(SignatureError, partial(adapter.verify, late), case.name)

    def test_recorded_requests_give_their_events(self) -> None:
        """Each recorded request means what it is said to mean."""
        adapter, context = self.make_adapter(), self.context()
        for case in self.accepted():
            events = adapter.normalise(case.request, context)
            types = tuple(event.type for event in events)
            require(types == tuple(kind for kind, _ in case.events), f"{case.name}: gave {types}")
            for event, (_, expected) in zip(events, case.events, strict=True):
                data = event.model_dump(mode="json")["data"]
                found = {name: data.get(name) for name in expected}
                require(found == expected, f"{case.name}: data is {found}, expected {expected}")

    def test_events_are_declared_in_the_manifest(self) -> None:
        """It emits nothing that its manifest does not name, and every event reads back."""
        adapter, context = self.make_adapter(), self.context()
        for case in self.accepted():
            for event in adapter.normalise(case.request, context):
                require(type(event) in adapter.manifest.events, f"{event.type} is not in the manifest")
                again = type(event).model_validate_json(event.model_dump_json())
                require(again == event, f"{event.type} does not read back as it was")

    def test_duplicates_give_the_same_ids(self) -> None:
        """A redelivery, received later, is the same fact."""
        adapter, context = self.make_adapter(), self.context()
        later = replace(context, now=context.now + _LATER)
        for case in self.accepted():
            first = [event.id for event in adapter.normalise(case.request, context)]
            resent = replace(case.request, received=case.request.received + _LATER)
            second = [event.id for event in adapter.normalise(resent, later)]
            require(first == second, f"{case.name}: a redelivery gets other ids")
            require(len(set(first)) == len(first), f"{case.name}: two events have one id")

    def test_malformed_bodies_are_refused(self) -> None:
        """What is wrong is named, nothing else is raised."""
        adapter, context = self.make_adapter(), self.context()
        for number, request in enumerate(self.malformed(), 1):
            name = f"malformed request {number}"
            _raises(MalformedError, partial(adapter.normalise, request, context), name)

    def test_garbage_raises_nothing_else(self) -> None:
        """Garbage is malformed, or tells nothing; it never breaks the adapter."""
        adapter, context = self.make_adapter(), self.context()
        for body in GARBAGE:
            with suppress(MalformedError):
                events = adapter.normalise(replace(self.accepted()[0].request, body=body), context)
                require(not events, f"{body[:20]!r} gave events")

    def test_unicode_survives(self) -> None:
        """Text that is not ASCII comes out as it went in."""
        adapter, context = self.make_adapter(), self.context()
        written = ("".join(event.model_dump_json() for event in adapter.normalise(case.request, context))
                   for case in self.accepted())  # fmt: skip
        require(any(not text.isascii() for text in written), "no recorded request holds text that is not ASCII")


def _raises(error: type[Exception], call: Callable[[], object], name: str) -> None:
    try:
        call()
    except error:
        return
    raise AssertionError(f"{name}: no {error.__name__} was raised")
