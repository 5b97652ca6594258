"""What people write otherwise: FastAPI and a pydantic model of the event, on uvicorn with all that makes it fast.

It stores nothing, and its model knows one version of one event.
"""

import sys

import uvicorn
from fastapi import FastAPI

from bench.model import Envelope

app = FastAPI()


@app.get("/health/ready")
async def ready() -> None:
    """Answer."""


@app.post("/webhook/messages-upsert", status_code=202)
async def accept(event: Envelope) -> dict[str, str]:
    """Take a message, typed."""
    return {"status": "accepted", "id": event.data.key.id}


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]), access_log=False, log_level="warning", backlog=4096)
