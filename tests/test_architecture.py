"""The layout of DESIGN: who may import whom, and what nobody may call."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "hedgetheory"
#: A module imports only from its own layer and from those before it.
LAYERS = (
    *(
        "errors",
        "exact",
        "workers",
        "effort",
        "expressions",
        "numerics",
        "laws",
        "policies",
        "functionals",
        "analysis",
    ),
    *("claims", "designs", "ledger", "hedgetune", "spec", "reference", "testing", "cli"),
)
MODULES = sorted(PACKAGE.rglob("*.py"))
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__"}
FORBIDDEN_IMPORTS = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib"}


def name_of(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


class _NoTypeChecking(ast.NodeTransformer):
    """Takes out what never runs."""

    def visit_If(self, node):
        self.generic_visit(node)
        skipped = isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        return node.orelse if skipped else node


def imports(path):
    """(line, absolute module) of every import that can run, those inside functions too."""
    tree = _NoTypeChecking().visit(ast.parse(path.read_text(encoding="utf-8")))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            for alias in node.names:
                yield node.lineno, f"{node.module}.{alias.name}"


def layer_of(module):
    parts = module.split(".")
    return LAYERS.index(parts[1]) if len(parts) > 1 and parts[1] in LAYERS else None


def test_every_module_has_a_layer():
    known = {*LAYERS, "__init__", "__main__", "data"}
    assert {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in MODULES} <= known


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_imports_only_from_layers_before_it(path):
    own = layer_of(name_of(path))
    if own is None:  # the package itself and __main__ see everything
        return
    later = [
        f"{path.relative_to(ROOT)}:{line}: {module}"
        for line, module in imports(path)
        if module.startswith("hedgetheory.") and (layer_of(module) or 0) > own
    ]
    assert later == []


def test_only_the_ball_module_imports_flint():
    importers = {
        name_of(path)
        for path in MODULES
        for _, module in imports(path)
        if module.split(".")[0] == "flint"
    }
    assert importers == {"hedgetheory.numerics.ball"}


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_nothing_evaluates_text_or_unpickles(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    called = {
        node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert not called & FORBIDDEN_CALLS
    assert not {module.split(".")[0] for _, module in imports(path)} & FORBIDDEN_IMPORTS
