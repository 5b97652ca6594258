"""What bot authors test with: Evolution's part, played on this machine.

```python
async with EvolutionServer(webhook="http://127.0.0.1:8085/webhook") as server:
    await server.write("+55 11 99999-0002", "ping", name="Ana")
    server.fail(Fault.LOST_ANSWER, "message/sendText")   # sent, but the answer never comes
    assert server.texts("+55 11 99999-0002") == ["pong"]
    assert server.complaints == []
```
"""

from gateway.testing.evolution import EvolutionServer, Fault, Group, Happening, Instance, Person, Request

__all__ = ["EvolutionServer", "Fault", "Group", "Happening", "Instance", "Person", "Request"]
