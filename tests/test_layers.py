"""High modules import low ones, never the other way round."""

import ast
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_layers_hold() -> None:
    done = subprocess.run(
        [ROOT / ".venv-lint" / "bin" / "lint-imports"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout


def test_the_machine_never_imports_what_it_runs() -> None:
    for file in (ROOT / "gateway").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                modules.append(node.module or "")
            assert not any(module.partition(".")[0] == "routes" for module in modules), file
