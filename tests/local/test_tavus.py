"""The whole server in this process: API, rooms, PALs and webhooks, with the real Daily client as guest."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tavus_cli.errors import CannotJoin, ConsoleError, ConversationOver, NotAuthorised
from tavus_cli.local.hosted import FAULTS
from tavus_cli.local.http import Response
from tavus_cli.rooms.daily.room import DailyRoom
from tavus_cli.rooms.recorded import RecordedRoom
from tavus_cli.rooms.room import Arrival, RoomOver
from tests.kits.daily_room import authority_file
from tests.kits.room_kit import line_changes, messages, taking, until
from tests.local.kit import Api, handler, tavus

READY = "application.transcription_ready"


@pytest.fixture(autouse=True)
def trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", authority_file())


@contextlib.asynccontextmanager
async def guest(api: Api, created: dict[str, Any]) -> AsyncIterator[tuple[DailyRoom, list[Arrival]]]:
    token = created.get("meeting_token")
    url = created["conversation_url"] + (f"?t={token}" if token else "")
    room = DailyRoom(url, proxy=api.tavus.daily.proxy)
    async with taking(room) as arrivals:
        await room.join()
        yield room, arrivals


def respond(text: str, name: str) -> dict[str, Any]:
    head = {"message_type": "conversation", "event_type": "conversation.respond", "conversation_id": name}
    return {**head, "properties": {"text": text}}


def said(arrivals: list[Arrival], text: str) -> bool:
    return any(
        one["event_type"] == "conversation.utterance"
        and one["properties"]["role"] == "pal"
        and text in one["properties"]["speech"]
        for one in messages(arrivals)
    )


def finished(arrivals: list[Arrival]) -> int:
    """How many turns the PAL has finished."""
    return sum(
        one["event_type"] == "conversation.stopped_speaking" and one["properties"]["role"] == "pal"
        for one in messages(arrivals)
    )


def test_create_join_respond_reply_end_webhooks(tmp_path: Path) -> None:
    async def main() -> None:
        async with tavus(record=str(tmp_path / "kept")) as api, handler() as hook:
            created = await api.create(
                callback_url=hook.url, custom_greeting="Good day.",
                conversational_context="The shop is shut.",
                properties={"enable_recording": True, "participant_left_timeout": 60},
            )  # fmt: skip
            name = created["conversation_id"]
            assert created["conversation_url"] == f"https://tavus.daily.co/{name}"
            assert (await hook.has("system.replica_joined"))["webhook_url"] == hook.url  # nobody is there yet
            async with guest(api, created) as (room, arrivals):
                await until(lambda: said(arrivals, "Good day."))
                await room.send(respond("xyzzy plover", name))
                await until(lambda: said(arrivals, "xyzzy plover"))
                await until(lambda: finished(arrivals) == 2)  # the transcript holds what was spoken
                assert (await api.call("POST", f"/v2/conversations/{name}/end"))[0] == 200
                await until(lambda: any(isinstance(one, RoomOver) for one in arrivals))
                assert "system.shutdown" in [one["event_type"] for one in messages(arrivals)]
            await hook.has("application.recording_ready")
            in_order = ["system.replica_joined", "system.pal_joined", "system.shutdown", READY]
            assert hook.types == [*in_order, "application.recording_ready"]
            shutdown = await hook.has("system.shutdown")
            assert shutdown["properties"]["shutdown_reason"] == "end_conversation_endpoint_hit"
            transcript = (await hook.has(READY))["properties"]["transcript"]
            spoken = [(one["role"], one["content"]) for one in transcript]
            assert spoken[:2] == [("system", "The shop is shut."), ("assistant", "Good day.")]
            assert ("user", "xyzzy plover") in spoken
            assert spoken[-1][0] == "assistant"
            assert "xyzzy plover" in spoken[-1][1]
            found = await api.get(name)
            assert (found["status"], found["shutdown_reason"]) == ("ended", "end_conversation_endpoint_hit")
            events = [one["event_type"] for one in found["events"]]
            assert events[:3] == ["system.replica_joined", "system.shutdown", READY]
            with pytest.raises(ConversationOver):
                await DailyRoom(created["conversation_url"], proxy=api.tavus.daily.proxy).join()
        kept = RecordedRoom(str(tmp_path / "kept" / f"{name}.jsonl"))
        async with taking(kept) as arrivals:
            await kept.join()
            await until(lambda: said(arrivals, "xyzzy plover"))

    asyncio.run(main())


def test_a_private_room_requires_its_token() -> None:
    async def main() -> None:
        async with tavus() as api:
            created = await api.create(require_auth=True)
            async with guest(api, created):
                pass
            created = await api.create(require_auth=True)
            for token in ("", "?t=wrong"):
                url = created["conversation_url"] + token
                with pytest.raises(NotAuthorised):
                    await DailyRoom(url, proxy=api.tavus.daily.proxy).join()

    asyncio.run(main())


def test_a_room_is_full() -> None:
    async def main() -> None:
        async with tavus() as api:
            created = await api.create(max_participants=2)
            async with guest(api, created):
                with pytest.raises(CannotJoin, match="full"):
                    await DailyRoom(created["conversation_url"], proxy=api.tavus.daily.proxy).join()

    asyncio.run(main())


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ({"participant_absent_timeout": 0}, "participant_absent_timeout reached"),
        ({"max_call_duration": 0}, "max_call_duration reached"),
        ({}, "participant_left_timeout reached"),
    ],
)
def test_conversations_that_end_by_themselves(properties: dict[str, int], reason: str) -> None:
    async def main() -> None:
        async with tavus() as api, handler() as hook:
            created = await api.create(callback_url=hook.url, properties=properties)
            if not properties:
                async with guest(api, created):
                    pass
            shutdown = await hook.has("system.shutdown")
            assert shutdown["properties"]["shutdown_reason"] == reason
            assert (await api.get(created["conversation_id"]))["status"] == "ended"

    asyncio.run(main())


def test_a_pal_with_a_script_of_its_own(tmp_path: Path) -> None:
    script = tmp_path / "ends.toml"
    script.write_text('greeting = "Bye."\n[[at]]\nafter = 0.5\nanalysis = "Nobody smiled."\n'
                      '[[at]]\nafter = 0.6\nguardrail = "no_jokes"\n'
                      '[[at]]\nafter = 0.7\nobjective = "found"\nstate = "completed"\nvariables = {a = "b"}\n'
                      '[[at]]\nafter = 1.0\nshutdown = "internal error occurred at step 3"\n')  # fmt: skip

    async def main() -> None:
        pals = {"*": "sim:?speed=max", "p9": f"sim:{script}?speed=20"}
        async with tavus(pals=pals) as api, handler() as hook:
            created = await api.create(pal_id="p9", callback_url=hook.url)
            async with guest(api, created) as (_, arrivals):
                await until(lambda: any(isinstance(one, RoomOver) for one in arrivals))
                assert said(arrivals, "Bye.")
            analysis = await hook.has("application.perception_analysis")
            assert analysis["properties"] == {"analysis": "Nobody smiled."}
            shutdown = await hook.has("system.shutdown")
            assert shutdown["properties"]["shutdown_reason"] == "internal error occurred at step 3"
            bare = [one for one in hook.taken if "event_type" not in one]
            name = created["conversation_id"]
            assert bare[0]["properties"]["guardrail"] == "no_jokes"
            told = {"objective_name": "found", "output_variables": {"a": "b"}}
            assert bare[1] == {"conversation_id": name, **told}
            assert hook.types.index("system.shutdown") > hook.taken.index(bare[1])

    asyncio.run(main())


def test_webhooks_are_repeated_in_their_order() -> None:
    async def main() -> None:
        async with tavus() as api, handler() as hook:
            hook.answers.extend([Response(503), Response(429), Response(200)])
            created = await api.create(callback_url=hook.url)
            await hook.has("system.pal_joined")
            assert hook.types == ["system.replica_joined"] * 3 + ["system.pal_joined"]
            told = [line for line in api.log if created["conversation_id"] in line]
            assert "503" in told[0]
            assert "posted again" in told[0]
            hook.answers.extend([Response(500)] * 4)  # given up
            await api.call("POST", f"/v2/conversations/{created['conversation_id']}/end")
            await hook.has(READY)
            assert hook.types.count("system.shutdown") == 4
            assert any("given up" in line for line in api.log)

    asyncio.run(main())


@pytest.mark.parametrize("answer", [Response(400), Response(302, None, {"location": "http://127.0.0.1:1/"})])
def test_what_is_refused_or_leads_elsewhere_is_not_repeated(answer: Response) -> None:
    async def main() -> None:
        async with tavus() as api, handler() as hook:
            hook.answers.append(answer)
            await api.create(callback_url=hook.url)
            await hook.has("system.pal_joined")
            assert hook.types == ["system.replica_joined", "system.pal_joined"]

    asyncio.run(main())


@pytest.mark.parametrize(
    "url", ["http://example.com/hook", "http://10.0.0.1/", "ftp://127.0.0.1/", "x", "//["]
)
def test_webhooks_to_other_machines_are_refused(url: str) -> None:
    async def main() -> None:
        async with tavus() as api:
            await api.create(callback_url=url)
            await until(lambda: any("no webhooks" in line for line in api.log))

    asyncio.run(main())


def test_a_missing_handler_does_not_stop_anything() -> None:
    async def main() -> None:
        async with tavus() as api:
            created = await api.create(callback_url="http://127.0.0.1:9/")
            async with guest(api, created) as (_, arrivals):
                await until(lambda: messages(arrivals))
            await until(lambda: any("no answer" in line and "given up" in line for line in api.log))

    asyncio.run(main())


def test_faults_on_demand() -> None:
    async def main() -> None:
        async with tavus() as api:
            created = await api.create()
            name = created["conversation_id"]
            async with guest(api, created) as (_, arrivals):
                assert (await api.fault(name, "drop"))[0] == 200
                await until(lambda: line_changes(arrivals) == [False, True])
                for wrong in ({"fault": "explode"}, {"fault": "drop", "seconds": -1}):
                    assert (await api.fault(name, **wrong))[0] == 400
                assert (await api.fault("c9", "drop"))[0] == 400
                assert (await api.fault(name, "delete"))[0] == 200
                await until(lambda: any(isinstance(one, RoomOver) for one in arrivals))
            created = await api.create()
            assert (await api.fault(created["conversation_id"], "refuse"))[0] == 200
            with pytest.raises(ConsoleError):
                await DailyRoom(created["conversation_url"], proxy=api.tavus.daily.proxy).join()
            assert (await api.fault("", "answer", status=503, times=2))[0] == 200
            answers = [(await api.call("GET", "/v2/conversations"))[0] for _ in range(3)]
            assert answers == [503, 503, 200]

    asyncio.run(main())


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_leaves_the_conversation_to_its_end(fault: str) -> None:
    async def main() -> None:
        async with tavus() as api, handler() as hook:
            created = await api.create(callback_url=hook.url)
            name = created["conversation_id"]
            async with guest(api, created):
                assert (await api.fault(name, fault, seconds=0.1))[0] == 200
            assert (await api.call("POST", f"/v2/conversations/{name}/end"))[0] in (200, 400)
            await hook.has(READY)
            wrong = await api.call("POST", "/local/faults", {"fault": "answer", "status": 200})
            assert wrong[0] == 400
            assert (await api.call("GET", "/local/nothing"))[0] == 404
            assert (await api.call("GET", "/local", **{"x-api-key": "k"}))[0] == 401

    asyncio.run(main())


def test_deleting_ends_what_runs() -> None:
    async def main() -> None:
        async with tavus() as api, handler() as hook:
            created = await api.create(callback_url=hook.url)
            path = f"/v2/conversations/{created['conversation_id']}"
            async with guest(api, created) as (_, arrivals):
                assert await api.call("DELETE", path) == (204, None)
                await until(lambda: any(isinstance(one, RoomOver) for one in arrivals))
            assert (await api.call("GET", path))[0] == 404
            await hook.has(READY)

    asyncio.run(main())


def test_queued_webhooks_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tavus_cli.local.delivery.MAX_WAITING", 1)

    async def main() -> None:
        async with tavus() as api, handler() as hook:
            created = await api.create(callback_url=hook.url)
            await api.call("POST", f"/v2/conversations/{created['conversation_id']}/end")
            await until(lambda: any("dropped: too many wait" in line for line in api.log))
            await hook.has("system.shutdown")

    asyncio.run(main())
