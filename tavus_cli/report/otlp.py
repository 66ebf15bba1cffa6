"""A conversation as an OpenTelemetry trace: to a collector by OTLP over HTTP, or to a file of OTLP JSON.

The conversation is the root span, turns are its children, speeches and tool calls theirs; barge-ins are
events. Ids are derived from the conversation, so that exporting it again gives the same trace. What was said
is included only on request (``content``).
"""

from __future__ import annotations

import contextlib
import json
import os
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any, Protocol
from urllib.parse import urlsplit

from tavus_cli import __version__
from tavus_cli.errors import CannotJoin, ConsoleError, UsageError, install, redacted
from tavus_cli.files import cannot, open_to_write
from tavus_cli.report.measures import parts
from tavus_cli.report.spans import Call, Speech, TurnSpan
from tavus_cli.report.timeline import Timeline
from tavus_cli.views.safe import safe

BATCH = 512  # spans a request
_TIMEOUT = 10  # seconds that a collector may take for a request
_LATEST = 2**64 - 1  # nanoseconds
_Attributes = Mapping[str, Any]


class Exporter(Protocol):
    """The destination of finished spans. ``write`` blocks, and raises ConsoleError if it fails."""

    def write(self, spans: Sequence[Any]) -> None: ...

    def close(self) -> None: ...


def exporter(where: str) -> Exporter:
    """An exporter to a collector's URL, or a file. Raises UsageError, also if the SDK is not installed."""
    try:
        import opentelemetry.exporter.otlp.proto.http.trace_exporter
        import opentelemetry.sdk.trace  # noqa: F401
    except ImportError:
        raise UsageError(f"--otlp needs the extra otel: {install('otel')}") from None
    import logging

    logging.getLogger("opentelemetry").addHandler(logging.NullHandler())
    logging.getLogger("opentelemetry").propagate = False  # we report errors, once
    if "://" in where:
        return _Collector(where)
    return _File(where)


def check(where: str) -> None:
    """Raises UsageError where ``exporter`` would, without creating a file."""
    if "://" in where:
        exporter(where).close()


class Tracer:
    """Spans of one conversation. Call ``turns`` as they end, and ``finish`` once, at the end.

    ``conversation`` is its id, or a name if it has none.
    """

    def __init__(self, timeline: Timeline, conversation: str, *, content: bool = False) -> None:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider

        assert timeline.first_at is not None
        self._timeline = timeline
        self._conversation = conversation
        self._content = content
        name = f"{conversation} {timeline.first_at:.6f}"
        self._trace_id = sha256(name.encode("utf-8", "surrogatepass")).digest()[:16]
        self._ids = _ids(int.from_bytes(self._trace_id, "big"))
        resource = Resource.create({"service.name": "tavus-console", "service.version": __version__})
        self._provider = TracerProvider(resource=resource, id_generator=self._ids, shutdown_on_exit=False)
        self._tracer = self._provider.get_tracer("tavus-console", __version__)
        self._root = self._id("conversation")

    def turns(self, first: int, last: int) -> list[Any]:
        """Finished spans of the timeline's turns from ``first`` up to ``last``."""
        spans = self._timeline.turns[first:last]
        said: dict[tuple[TurnSpan, str], list[str]] = {}
        if self._content:
            for line in self._timeline.transcript.lines:
                said.setdefault((line.turn, line.role), []).append(line.text)
        out: list[Any] = []
        for number, span in enumerate(spans, first):
            words = {role: " ".join(said.get((span, role), ())) for role in ("user", "pal")}
            out += self._turn(span, number, words)
        return out

    def finish(self) -> list[Any]:
        """The spans of everything outside turns, and the root span."""
        timeline = self._timeline
        assert timeline.first_at is not None
        assert timeline.last_at is not None
        out = self._inside(timeline.loose, "loose", self._root)
        counts = timeline.counts
        attributes = {
            "tavus.turns": len(timeline.turns),
            "tavus.events": counts.events,
            "tavus.gaps": counts.gaps,
            "tavus.interruptions": counts.interruptions,
        }
        out.append(
            self._span("conversation", self._root, None, timeline.first_at, timeline.last_at, attributes)
        )
        return out

    def _turn(self, span: TurnSpan, number: int, words: Mapping[str, str]) -> list[Any]:
        times = list(_times(span))
        start, end = (min(times), max(times)) if times else (span.started, span.started)
        if start is None or end is None:
            return []
        attributes: dict[str, Any] = {
            "turn.number": span.idx,
            "turn.duration_seconds": round(end - start, 6),
            "turn.was_interrupted": any(one.role == "pal" and one.interrupted for one in span.speeches),
        }
        if span.reply is not None:
            attributes["turn.user_bot_latency_seconds"] = round(span.reply, 6)
            for part in parts(span):
                name = f"tavus.reply.{part.kind}_seconds"
                attributes[name] = round(attributes.get(name, 0.0) + part.seconds, 6)
        attributes |= {f"tavus.{role}.text": _unicode(text) for role, text in words.items() if text}
        events = [
            (
                "barge_in",
                {"barge_in.by": one.by, "barge_in.success": bool(one.success)}
                | ({} if one.stopped is None else {"barge_in.stop_seconds": round(one.stopped - one.at, 6)}),
                one.at,
            )
            for one in span.barge_ins
        ]
        me = self._id(f"turn {number}")
        inside = self._inside(span, f"turn {number}", me)
        return [*inside, self._span("turn", me, self._root, start, end, attributes, events)]

    def _inside(self, span: TurnSpan, name: str, parent: int) -> list[Any]:
        out = []
        for number, speech in enumerate(span.speeches):
            out.append(self._speech(speech, self._id(f"{name} speech {number}"), parent))
        for number, call in enumerate(span.calls):
            if call.at is not None:
                out.append(self._call(call, self._id(f"{name} call {number}"), parent))
        return out

    def _speech(self, one: Speech, me: int, parent: int) -> Any:
        attributes = {"speech.role": one.role, "speech.interrupted": one.interrupted}
        end = one.start if one.end is None else one.end
        return self._span(f"speech {one.role}", me, parent, one.start, end, attributes)

    def _call(self, one: Call, me: int, parent: int) -> Any:
        assert one.at is not None
        attributes: dict[str, Any] = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": _unicode(one.name),
            "tavus.tool.answered": one.done,
        }
        if one.id:
            attributes["gen_ai.tool.call.id"] = _unicode(one.id)
        end = one.at if one.answered is None else max(one.at, one.answered)
        name = f"execute_tool {_unicode(one.name)}"
        return self._span(name, me, parent, one.at, end, attributes, failed=one.failed)

    def _span(
        self, name: str, me: int, parent: int | None, start: float, end: float, attributes: _Attributes,
        events: Sequence[tuple[str, _Attributes, float]] = (), *, failed: bool = False,
    ) -> Any:  # fmt: skip
        from opentelemetry import trace

        context = None
        if parent is not None:
            above = trace.SpanContext(
                int.from_bytes(self._trace_id, "big"),
                parent,
                False,
                trace.TraceFlags(trace.TraceFlags.SAMPLED),
            )
            context = trace.set_span_in_context(trace.NonRecordingSpan(above))
        self._ids.next = me
        span = self._tracer.start_span(
            name,
            context or _empty_context(),
            attributes={"gen_ai.conversation.id": _unicode(self._conversation), **attributes},
            start_time=_nanoseconds(start),
        )
        for event, about, at in events:
            span.add_event(event, about, _nanoseconds(at))
        if failed:
            span.set_status(trace.Status(trace.StatusCode.ERROR, "the tool failed"))
        span.end(_nanoseconds(max(start, end)))
        return span

    def _id(self, what: str) -> int:
        return int.from_bytes(sha256(self._trace_id + what.encode()).digest()[:8], "big") or 1


def export(timeline: Timeline, conversation: str, to: Exporter, *, content: bool = False) -> int:
    """Write all spans of a finished conversation; returns their number. Raises ConsoleError."""
    if timeline.first_at is None:
        return 0
    tracer = Tracer(timeline, conversation, content=content)
    total = 0
    for first in range(0, len(timeline.turns), BATCH // 4):
        spans = tracer.turns(first, min(first + BATCH // 4, len(timeline.turns)))
        write(spans, to)
        total += len(spans)
    rest = tracer.finish()
    write(rest, to)
    return total + len(rest)


def write(spans: Sequence[Any], to: Exporter) -> None:
    for first in range(0, len(spans), BATCH):
        to.write(spans[first : first + BATCH])


class _Collector:
    def __init__(self, url: str) -> None:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        try:
            address = urlsplit(url)
            _ = address.port
        except ValueError:
            raise UsageError(f"--otlp {url}: not a valid URL") from None
        if address.scheme not in ("http", "https") or not address.hostname:
            raise UsageError(f"--otlp {url}: write http://HOST:4318, or the name of a file")
        if address.path in ("", "/"):
            url = url.rstrip("/") + "/v1/traces"
        self._url = url
        self._exporter = OTLPSpanExporter(endpoint=url, timeout=_TIMEOUT)

    def write(self, spans: Sequence[Any]) -> None:
        from opentelemetry.sdk.trace.export import SpanExportResult

        try:
            done = self._exporter.export(spans) is SpanExportResult.SUCCESS
        except Exception as error:  # errors of the SDK or its HTTP library
            raise CannotJoin(f"{self._url} cannot be reached: {type(error).__name__}") from None
        if not done:
            raise CannotJoin(f"{self._url} rejected the traces; check that a collector listens there")

    def close(self) -> None:
        self._exporter.shutdown()  # type: ignore[no-untyped-call]


class _File:
    """A line for each request, in the format of the collector's file exporter and receiver."""

    def __init__(self, path: str) -> None:
        self._path = path
        try:
            self._file = os.fdopen(open_to_write(path, os.O_TRUNC, file_only=True), "w", encoding="utf-8")
        except (OSError, ValueError) as error:
            raise cannot(path, error) from None

    def write(self, spans: Sequence[Any]) -> None:
        from google.protobuf.json_format import MessageToDict
        from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

        request = MessageToDict(encode_spans(spans), use_integers_for_enums=True)
        try:
            self._file.write(json.dumps(_hexadecimal(request), ensure_ascii=False) + "\n")
            self._file.flush()
        except OSError as error:
            raise ConsoleError(f"{self._path}: {error.strerror or error}") from None

    def close(self) -> None:
        with contextlib.suppress(OSError):  # a full disk, which ``write`` has reported
            self._file.close()


def _hexadecimal(value: Any) -> Any:
    """OTLP writes ids in hexadecimal, where protobuf's JSON has base64."""
    if isinstance(value, dict):
        return {
            key: b64decode(inner).hex()
            if key in ("traceId", "spanId", "parentSpanId") and isinstance(inner, str)
            else _hexadecimal(inner)
            for key, inner in value.items()
        }
    return [_hexadecimal(inner) for inner in value] if isinstance(value, list) else value


def _ids(trace_id: int) -> Any:
    from opentelemetry.sdk.trace.id_generator import IdGenerator

    class Ids(IdGenerator):
        next = 0

        def generate_span_id(self) -> int:
            return self.next

        def generate_trace_id(self) -> int:
            return trace_id

    return Ids()


def _empty_context() -> Any:
    from opentelemetry.context import Context

    return Context()


def _times(span: TurnSpan) -> Iterator[float]:
    known: list[float | None] = [span.started, span.asked, span.replied, span.words, span.speaking]
    for speech in span.speeches:
        known += [speech.start, speech.end]
    for call in span.calls:
        known += [call.at, call.answered]
    yield from (at for at in known if at is not None)


def _nanoseconds(at: float) -> int:
    """Limited to what OTLP can express: the years 1970 to 2554."""
    return min(max(0, round(at * 1_000_000) * 1_000), _LATEST)


def _unicode(text: str) -> str:
    """Without secrets, and lone surrogates, which protobuf rejects."""
    return safe(redacted(text))
