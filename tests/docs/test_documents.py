"""What the documents say is what there is."""

import ast
import re
import runpy

from gateway.cli.names import COMMANDS
from gateway.plugins import filters
from gateway.web.admin import ROUTES
from tests.support.blocks import DOCUMENTS, ROOT, blocks


def test_the_readmes_plugin_is_the_one_in_routes() -> None:
    shown = next(block.text for block in blocks("python") if block.document.name == "README.md")

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
    for file in DOCUMENTS:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", file.read_text()):
            assert (file.parent / target).exists(), f"{file.name} links to {target}"


def test_the_page_of_what_authors_import_is_the_one_the_docstrings_give() -> None:
    made = runpy.run_path(str(ROOT / "docs" / "api.py"))

    assert made["PAGE"].read_text() == made["page"](), "run: python docs/api.py"
