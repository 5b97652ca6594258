"""What the machine imports: never what it runs. That high modules import low ones alone, `make check` sees to."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_machine_never_imports_what_it_runs() -> None:
    for file in (ROOT / "gateway").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                modules.append(node.module or "")
            assert not any(module.partition(".")[0] == "routes" for module in modules), file
