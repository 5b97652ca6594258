"""A file to send, as Evolution takes it in JSON: a URL that it fetches itself, or base64 without a prefix."""

from base64 import b64encode

Media = str | bytes
"""A URL, base64 text (with or without `data:...,` before it), or the bytes themselves."""


def spell_media(media: Media) -> str:
    """As the JSON has it.

    Raises:
        ValueError: there is nothing in it.
    """
    if isinstance(media, bytes):
        found = b64encode(media).decode()
    elif media.startswith("data:"):
        found = media.partition(",")[2]
    else:
        found = media
    if not found.strip():
        raise ValueError("the file to send is empty")
    return found
