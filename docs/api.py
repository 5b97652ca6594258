"""Write docs/api.md: what a bot's author imports, in the words of the docstrings.

Run `python docs/api.py` after changing one; a test compares the two.
"""

import ast
import inspect
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import gateway
from gateway import testing

PAGE: Final = Path(__file__).with_suffix(".md")
_HEAD: Final = """# What a bot's author imports

Generated from the docstrings by `python docs/api.py`; edit those instead. Events and what they hold have
[a page of their own](events.md), and so have [filters](reference.md#filters).
"""
_GATEWAY: Final = (
    *("Plugin", "Context", "EventContext", "Queued", "Delivery", "Row", "Card", "Secret"),
    *("Retry", "Drop", "ContextClosed", "StateError", "PluginError", "ConfigError"),
)
_TESTING: Final = (
    *("Bot", "Chat", "GroupChat", "Conversation", "Reply", "HandlerFailed", "NotSent", "DeadLetter"),
    *("EvolutionServer", "Fault"),
)


def page() -> str:
    """The whole page."""
    parts = [_HEAD]
    shown: set[type[Any]] = set()
    for module, names in ((gateway, _GATEWAY), (testing, _TESTING)):
        parts.append(f"# `{module.__name__}`\n")
        for name in names:
            for kind in filter(_is_ours, getattr(module, name).__mro__):
                parts += [] if kind in shown else [_about(kind)]
                shown.add(kind)
    return "\n".join(parts)


def _is_ours(kind: type[Any]) -> bool:
    return kind.__module__.startswith("gateway.")


def _about(kind: type[Any]) -> str:
    bases = [base.__name__ for base in filter(_is_ours, kind.__bases__)]
    lines = [f"## {kind.__name__}\n", _said(kind), ""]
    if bases:
        lines += [f"Has everything of {', '.join(bases)}.\n"]
    lines += [f"- `{name}`: {said}" for name, said in _members(kind)]
    return "\n".join(lines) + "\n"


def _members(kind: type[Any]) -> Iterator[tuple[str, str]]:
    """What the class itself adds and documents, in the order in which it is written; nothing meant for the worker."""
    definition = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
    assert isinstance(definition, ast.ClassDef)
    written: set[str] = set()
    for node, after in zip(definition.body, [*definition.body[1:], ast.Pass()], strict=True):
        name, said = _attribute(node, after) or _method(node) or ("", "")
        short = name.removeprefix("await ").partition("(")[0]
        if said and short not in written and not said.startswith("For the "):
            written.add(short)
            yield name, said


def _attribute(node: ast.stmt, after: ast.stmt) -> tuple[str, str] | None:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    is_said = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
    if not targets or not isinstance(targets[0], ast.Name) or targets[0].id.startswith("_") or not is_said:
        return None
    assert isinstance(after, ast.Expr)
    assert isinstance(after.value, ast.Constant)
    return targets[0].id, _clean(str(after.value.value))


def _method(node: ast.stmt) -> tuple[str, str] | None:
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or node.name.startswith("_"):
        return None
    said = _clean(ast.get_docstring(node) or "")
    if any(isinstance(mark, ast.Name) and mark.id in ("property", "cached_property") for mark in node.decorator_list):
        return node.name, said
    call = "await " if isinstance(node, ast.AsyncFunctionDef) else ""
    return f"{call}{node.name}({_arguments(node.args)})", said


def _arguments(given: ast.arguments) -> str:
    """The arguments as they are written, without `self` and their types."""
    bare = ast.parse(f"def f({ast.unparse(given)}): ...").body[0]
    assert isinstance(bare, ast.FunctionDef)
    for each in (*bare.args.posonlyargs, *bare.args.args, *bare.args.kwonlyargs, bare.args.vararg, bare.args.kwarg):
        if each is not None:
            each.annotation = None
    return ast.unparse(bare.args).removeprefix("self").removeprefix(", ").removeprefix("/, ").replace(", /", "")


def _said(kind: type[Any]) -> str:
    return _clean(inspect.cleandoc(kind.__dict__.get("__doc__") or ""))


def _clean(text: str) -> str:
    """One line; what goes wrong and what each argument means, named by the editor, are left out here."""
    text = inspect.cleandoc(text).partition("\n\nRaises:")[0].partition("\n\nArgs:")[0]
    return " ".join(text.split())


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
