"""Fetch the files of messages: from where they may be fetched, checked, and no more of them than was allowed."""

from gateway.media.library import Library

__all__ = ["Library"]
