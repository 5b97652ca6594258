"""Compose the gateway: the receiver with its two listeners, and beside it the worker as a child process."""

from gateway.serve.run import serve

__all__ = ["serve"]
