"""Evolution Gateway: durable, typed webhooks for Evolution API."""

__version__ = "0.1.0"
