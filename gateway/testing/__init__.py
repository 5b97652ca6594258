"""What bot authors test with: a bot in a chat, and Evolution's part, played on this machine.

```python
async with Bot(plugin) as bot:
    ana = bot.chat("+55 11 99999-0002", name="Ana")
    await ana.send("ping")
    assert ana.replies == ["pong"]
```

`Bot` runs plugins as the gateway does, on a journal, lanes, a store and an outbox of its own. `EvolutionServer`, which
it talks to, also stands by itself, before a gateway that is served:

```python
async with EvolutionServer(webhook="http://127.0.0.1:8085/webhook") as server:
    await server.write("+55 11 99999-0002", "ping", name="Ana")
    server.fail(Fault.LOST_ANSWER, "message/sendText")   # sent, but the answer never comes
    assert server.texts("+55 11 99999-0002") == ["pong"]
    assert server.complaints == []
```
"""

from gateway.testing.bot import Bot
from gateway.testing.chats import Chat, Conversation, GroupChat
from gateway.testing.evolution import EvolutionServer, Fault, Group, Happening, Instance, Person, Request
from gateway.testing.failures import BotFailure, DeadLetter, HandlerFailed, NotSent
from gateway.testing.reply import Reply

__all__ = [
    "Bot",
    "BotFailure",
    "Chat",
    "Conversation",
    "DeadLetter",
    "EvolutionServer",
    "Fault",
    "Group",
    "GroupChat",
    "HandlerFailed",
    "Happening",
    "Instance",
    "NotSent",
    "Person",
    "Reply",
    "Request",
]
