"""What the documents say is what there is."""

import ast
import re
from pathlib import Path

import pytest
import yaml

from gateway.cli.names import COMMANDS
from gateway.config import load
from gateway.plugins import filters, load_folder
from gateway.web.admin import ROUTES

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted(ROOT.glob("[A-Z]*.md"))]
BLOCK = re.compile(r"^( *)```(\w+)\n(.*?)^\1```", re.DOTALL | re.MULTILINE)


def blocks(language: str) -> list[object]:
    return [
        pytest.param(re.sub(rf"^{indent}", "", text, flags=re.MULTILINE), id=f"{file.name}-{at}")
        for file in dict.fromkeys(DOCUMENTS)
        for at, (indent, kind, text) in enumerate(BLOCK.findall(file.read_text()))
        if kind == language
    ]


@pytest.mark.parametrize("code", blocks("python"))
def test_each_python_block_is_a_plugin_that_loads_or_code_that_parses(code: str, tmp_path: Path) -> None:
    ast.parse(code)
    if "plugin = Plugin" in code:
        (tmp_path / "shown.py").write_text(code)
        loaded = load_folder(tmp_path)
        assert loaded.errors == ()
        assert loaded.plugins[0].plugin.handlers


@pytest.mark.parametrize("text", blocks("yaml"))
def test_each_yaml_block_is_a_config_that_loads(text: str, tmp_path: Path) -> None:
    environment = {name: f"value-of-{name.lower()}" for name in re.findall(r"\$\{(\w+)\}", text)}
    (tmp_path / "config.yaml").write_text(text)

    load(tmp_path / "config.yaml", environment)

    assert yaml.safe_load(text)


def test_the_readmes_plugin_is_the_one_in_routes() -> None:
    shown = next(text for _, kind, text in BLOCK.findall((ROOT / "README.md").read_text()) if kind == "python")

    def code(text: str) -> str:
        tree = ast.parse(text)
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.AsyncFunctionDef) and ast.get_docstring(node):
                del node.body[0]
        return ast.unparse(tree)

    assert code(shown) == code((ROOT / "routes" / "ping.py").read_text())


def test_commands_are_documented_and_documented_commands_exist() -> None:
    documented = set(re.findall(r"^\| `gateway (\w+)", (ROOT / "docs" / "reference.md").read_text(), re.MULTILINE))

    assert documented == set(COMMANDS)


def test_endpoints_are_documented_and_documented_endpoints_exist() -> None:
    text = (ROOT / "docs" / "reference.md").read_text().split("## Endpoints of the page's listener")[1]
    documented = {(method, path) for method, path in re.findall(r"`(GET|POST) (/[^`]*)`", text)}
    served = {(route.method, re.sub(r"\{(\w+):[^}]*\}+", r"{\1}", route.path)) for route in ROUTES}

    assert documented == served


def test_filters_are_documented_and_documented_filters_exist() -> None:
    table = (ROOT / "docs" / "reference.md").read_text().split("### Filters")[1].split("###")[0]
    documented = set(re.findall(r"`f\.(\w+)", table))

    assert documented == {name for name in filters.__all__ if name.islower()}


def test_links_between_documents_lead_somewhere() -> None:
    for file in dict.fromkeys(DOCUMENTS):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", file.read_text()):
            assert (file.parent / target).exists(), f"{file.name} links to {target}"
