"""How a message that an event brought is named to Evolution."""

import pytest

from gateway.events import Message, MessageEvent, decode
from gateway.evolution import MessageKey
from gateway.evolution.keys import spell_key, spell_quoted

GROUP = "120363400000000001@g.us"
ANA = "201110000000002@lid"


def came(**key: object) -> Message:
    data = {"key": key, "message": {"conversation": "really?"}, "messageType": "conversation"}
    event = decode("messages.upsert", {"event": "messages.upsert", "instance": "shop-1", "data": data})
    assert isinstance(event, MessageEvent)
    return event.message


def test_in_a_group_a_message_is_named_with_its_author() -> None:
    key = MessageKey.of(came(id="3EB0", remoteJid=GROUP, fromMe=False, participant=ANA))

    assert spell_key(key) == {"id": "3EB0", "remoteJid": GROUP, "fromMe": False, "participant": ANA}


def test_an_own_message_needs_no_author() -> None:
    key = MessageKey.of(came(id="BAE5", remoteJid=GROUP, fromMe=True, participant="201110000000009@lid"))

    assert spell_key(key) == {"id": "BAE5", "remoteJid": GROUP, "fromMe": True}


def test_a_quote_brings_the_words_along() -> None:
    quoted = spell_quoted(MessageKey.of(came(id="3EB0", remoteJid=ANA, fromMe=False)))

    assert quoted["message"] == {"conversation": "really?"}


@pytest.mark.parametrize("key", [{"remoteJid": ANA}, {"id": "3EB0"}, {"id": None, "remoteJid": ANA}])
def test_a_message_without_id_or_chat_has_no_key(key: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="no id or no chat"):
        MessageKey.of(came(fromMe=False, **key))
