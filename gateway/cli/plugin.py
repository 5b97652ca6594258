"""`gateway plugins NAME`: one plugin in full, with what can be set for it and what is."""

import ast
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, get_args

import click
import msgspec

from gateway.cli.output import columns
from gateway.config import Secret
from gateway.plugins import LoadedPlugin
from gateway.redact import PLACEHOLDER, is_secret_name


class Setting(msgspec.Struct, frozen=True):
    """One key of `plugins.<name>.settings`."""

    name: str
    type: str
    default: str | None
    """None: it has to be set."""
    value: str
    """What counts now; "?" where the settings can't be read."""
    doc: str
    """What its author wrote below it."""


def settings_of(loaded: LoadedPlugin) -> list[Setting]:
    """What can be set for a plugin; secrets as dots."""
    kind = loaded.plugin.settings_type
    if kind is None:
        return []
    docs, now = _docs(kind), loaded.plugin.settings
    return [
        Setting(
            name=field.encode_name,
            type=_type(field.type),
            default=None if field.required else _shown(field.name, _default(field)),
            value=_shown(field.name, getattr(now, field.name)) if now else "?",
            doc=docs.get(field.name, ""),
        )
        for field in msgspec.structs.fields(kind)
    ]


def setting_lines(settings: list[Setting]) -> Iterator[str]:
    """For people: what is set stands out, what is not has its default."""
    rows = [
        [
            each.name,
            each.value if each.default is None or each.value != each.default else click.style(each.value, dim=True),
            each.type if each.default is None else f"{each.type} = {each.default}",
            each.doc,
        ]
        for each in settings
    ]
    yield from columns(rows, indent=4)


def _default(field: msgspec.structs.FieldInfo) -> object:
    return field.default_factory() if callable(field.default_factory) else field.default


def _shown(name: str, value: object) -> str:
    if isinstance(value, Secret) or (value and is_secret_name(name)):
        return PLACEHOLDER if value else "(none)"
    return str(msgspec.json.encode(value, enc_hook=str), "utf-8")


def _type(hint: object) -> str:
    if hint is type(None):
        return "None"
    if isinstance(hint, type) and not get_args(hint):
        return hint.__name__
    return str(hint).replace("typing.", "")


def _docs(kind: type[Any]) -> Mapping[str, str]:
    """The text below each field, which Python itself throws away."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(kind)))
    except (OSError, SyntaxError, TypeError):  # it was not made from a file
        return {}
    body = tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else []
    return {
        field.target.id: " ".join(str(text.value.value).split())
        for field, text in pairwise(body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
    }
