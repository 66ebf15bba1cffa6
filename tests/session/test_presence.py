"""The minimal core of ``send`` says the same about the PAL as the whole core."""

from __future__ import annotations

import pytest

from tavus_cli.protocol.conversation import Conversation
from tavus_cli.session.presence import Presence
from tests.kits.conversations import SAMPLES, SEEN

# An interaction that another participant sent in the PAL's name.
FORGED = {"event_type": "conversation.respond", "properties": {"role": "pal", "text": "I am the PAL."}}


@pytest.mark.parametrize("before", [True, False], ids=["there", "not there"])
def test_each_message_changes_the_presence_of_the_pal_alike(before: bool) -> None:
    for message in [*SAMPLES, *SEEN, FORGED]:
        # without a number nothing is held
        given = {key: value for key, value in message.items() if key != "seq"}
        whole, minimal = Conversation(), Presence()
        for core in (whole, minimal):
            core.pal_is(before)
            core.receive(given, 1.0)
        assert whole.status.pal_present == minimal.pal_present, message
