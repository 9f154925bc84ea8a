"""Pages that are made from the package's own objects: formulas, the ledger, the systems, the API.

They are written before Sphinx reads its sources, under ``docs/made/``, and never by hand. The
ledger is checked anew for each build, so that a verdict on a page is the verdict of this code.
"""

from __future__ import annotations

import importlib
import inspect
import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

import sympy
from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

ROOT = Path(__file__).parents[2]
#: What the pages of the API are about: title, and the public names under it, in order.
API = {
    "laws": (
        "Laws of the proxy reward",
        "uniform normal exponential logistic gumbel laplace gamma weibull beta lognormal pareto "
        "student_t mixture affine truncated shaped bernoulli finite poisson geometric_law samples "
        "from_scipy from_sympy parse_law",
    ),
    "policies": (
        "Policies and families",
        "best_of_n best_of_poisson quantile_tilt tilt soft_best_of_n best_of_random "
        "zero_truncated_poisson geometric binomial negative_binomial sibuya finite_pmf "
        "parse_policy parse_family sample select Sample",
    ),
    "numbers": (
        "Quantities and numbers",
        "value kl_divergence derive evaluate_float64 SoftBestOfNFloats SoftBestOfNSamples "
        "soft_thresholds Number Derivation",
    ),
    "theorems": (
        "Theorems on a law",
        "check threshold parse_gold parse_joint gold_with_extrema randomised_best_of_n gap_at "
        "gap_of gap_supremum verify CheckResult Construction Randomised GapPoint GapSupremum",
    ),
    "tables": (
        "Tables of scored responses",
        "tune tune_large HedgeTune TuneResult read_table reduce_table reduce_distributed Table "
        "Reduction",
    ),
    "errors": ("Errors", "HedgeTheoryError InputError NotOnThisLaw NotCertified"),
}


class Formula(SphinxDirective):
    """``{formula} module:object.attribute``: the object's own sympy expression as mathematics."""

    required_arguments = 1
    option_spec: ClassVar[dict[str, Any]] = {"left": directives.unchanged}

    def run(self) -> list[nodes.Node]:
        module, _, path = self.arguments[0].partition(":")
        thing: Any = importlib.import_module(module)
        for name in path.split("."):
            thing = getattr(thing, name)
        left = self.options.get("left")
        text = _latex(thing)
        whole = f"{left} = {text}" if left else text
        return [nodes.math_block(whole, whole, nowrap=False, number=None, label=None)]


def _latex(expr: sympy.Basic) -> str:
    names = {sympy.Symbol("ubar", positive=True): r"\bar{u}"}
    return str(sympy.latex(expr, symbol_names=names))


# -- pages -----------------------------------------------------------------------------------------
def make_pages(app: Sphinx) -> None:
    made = Path(app.srcdir) / "made"
    shutil.rmtree(made, ignore_errors=True)
    for part in ("ledger", "systems", "api", "notebooks"):
        (made / part).mkdir(parents=True)
    for notebook in sorted((ROOT / "notebooks").glob("*.ipynb")):
        shutil.copy(notebook, made / "notebooks")
    for name, text in (*_ledger(), *_systems(), *_api()):
        (made / name).write_text(text, encoding="utf-8")


def _ledger() -> Iterable[tuple[str, str]]:
    from hedgetheory.ledger import verify

    groups: dict[str, list[Any]] = {}
    for result in verify(workers=2):
        groups.setdefault(result.claim.id.partition(".")[0], []).append(result)
    for group, results in groups.items():
        body = "\n".join(_claim(result) for result in results)
        yield f"ledger/{group}.md", f"# Claims: {group}\n\n{body}"
    rows = [
        f"| [{r.claim.title}](#{_anchor(r.claim.id)}) | {r.verdict} | `{r.claim.id}` |"
        for results in groups.values()
        for r in results
    ]
    counts: dict[str, int] = {}
    for results in groups.values():
        for result in results:
            counts[result.verdict] = counts.get(result.verdict, 0) + 1
    said = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
    toc = "\n".join(groups)
    head = (
        "# The ledger\n\nEvery statement that this package stands for, with the verdict that its "
        f"check gave when this page was built: {said}. `hedgetheory verify` runs all of them, "
        "`hedgetheory verify --only ID` one. A verdict is never more than the weakest of its "
        "steps; *words* are short deductions between them, *cited* a theorem that is relied on.\n\n"
    )
    table = "| claim | verdict | id |\n|---|---|---|\n" + "\n".join(rows)
    yield "ledger/index.md", f"{head}```{{toctree}}\n:hidden:\n\n{toc}\n```\n\n{table}\n"


def _anchor(id: str) -> str:
    return "claim-" + id.replace(".", "-")


def _claim(result: Any) -> str:
    claim = result.claim
    steps = "\n".join(
        f"{i}. **{step.kind}**{'' if step.holds else ' (does not hold)'}: {_plain(step.says)} "
        f"*— {_plain(step.by)}*" + (f"\n   <br>`{_data(step.data)}`" if step.data else "")
        for i, step in enumerate(result.evidence, 1)
    )
    hypotheses = "; ".join(map(_plain, claim.hypotheses)) or "none"
    return (
        f"({_anchor(claim.id)})=\n## {_plain(claim.title)}\n\n"
        f"`{claim.id}`: **{result.verdict}** (expected {claim.expected})\n\n"
        f"{_plain(claim.statement)}\n\n"
        f"Hypotheses\n: {hypotheses}\n\nSource\n: {_plain(claim.source)}\n\n"
        f"Run it again\n: `hedgetheory verify --only {claim.id}`\n\n"
        f"### Steps of {claim.id}\n\n{steps}\n"
    )


def _data(data: dict[str, Any]) -> str:
    text = ", ".join(f"{key}: {value}" for key, value in data.items()).replace("`", "'")
    return text if len(text) <= 300 else text[:297] + "..."


def _plain(text: str) -> str:
    """Text in which nothing is markup."""
    return re.sub(r"([\\`*_{}\[\]<>#|$~^])", r"\\\1", text)


def _systems() -> Iterable[tuple[str, str]]:
    from hedgetheory.designs.systems import SYSTEMS

    for system in SYSTEMS:
        claims = "\n".join(
            f"- [{_plain(c.title)}](#{_anchor(c.id)}): {c.expected}" for c in system.claims
        )
        grammar = "\n".join(f"- `{text}`" for text in system.grammar) or "- functions only"
        functions = "\n".join(
            f"- `{f.name}({', '.join(f.arguments)})`: {_plain(f.summary)}" for f in system.functions
        )
        yield (
            f"systems/{system.id}.md",
            f"# {_plain(system.title)}\n\n{_plain(system.definition)} ({system.source}).\n\n"
            f"$$\n{_latex(system.statement)}\n$$\n\n"
            f"What it does to the hacking threshold: {_plain(system.effect_says)} "
            f"([claim](#{_anchor(system.effect)})).\n\n"
            f"## In the spec grammar\n\n{grammar}\n\n## Claims\n\n{claims}\n"
            + (f"\n## Functions with reference values\n\n{functions}\n" if functions else ""),
        )
    toc = "\n".join(system.id for system in SYSTEMS)
    rows = "\n".join(
        f"| [{_plain(s.title)}]({s.id}.md) | {s.kind} | {_plain(s.effect_says)} |" for s in SYSTEMS
    )
    yield (
        "systems/index.md",
        "# Related systems\n\nThirteen systems beside the paper, each a law, a policy, a joint "
        "model or functions of its own, with its claims in the ledger.\n\n"
        f"```{{toctree}}\n:hidden:\n\n{toc}\n```\n\n| system | is a | the hacking threshold |\n"
        f"|---|---|---|\n{rows}\n",
    )


def _api() -> Iterable[tuple[str, str]]:
    import hedgetheory

    told: set[str] = set()
    for page, (title, names) in API.items():
        parts = [title, "=" * len(title), ""]
        for name in names.split():
            thing = getattr(hedgetheory, name)
            kind = "autoclass" if inspect.isclass(thing) else "autofunction"
            label = f"``hedgetheory.{name}``"
            parts += [label, "-" * len(label), ""]
            parts += [f".. {kind}:: {thing.__module__}.{thing.__qualname__}", ""]
            told.add(name)
        yield f"api/{page}.rst", "\n".join(parts)
    missing = set(hedgetheory.__all__) - told - {"__version__"}
    if missing:
        raise RuntimeError(f"not on a page of the API (docs/_ext/from_code.py): {sorted(missing)}")
    toc = "\n   ".join(API)
    yield "api/index.rst", f"Python reference\n================\n\n.. toctree::\n\n   {toc}\n"


# -- docstrings ------------------------------------------------------------------------------------
def plain_docstring(
    app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]
) -> None:
    """Docstrings are plain text with `code` and doctests: what else looks like markup is not."""
    out: list[str] = []
    inside_doctest = False
    for line in lines:
        bare = line.strip()
        inside_doctest = bare.startswith((">>>", "...")) or (inside_doctest and bool(bare))
        if inside_doctest:
            out.append(line)
            continue
        # An indented formula after a line of text: set off, as in a paragraph of its own.
        if bare and out and out[-1].strip() and _indent(line) != _indent(out[-1]):
            listed = re.match(r"\s*(- |\d+\. )", line) or re.match(r"\s*(- |\d+\. )", out[-1])
            if not listed and not _continues_item(out):
                out.append("")
        parts = re.split(r"(``[^`]+``|`[^`]+`)", line)
        out.append(
            "".join(f"``{p.strip('`')}``" if p.startswith("`") else _escaped(p) for p in parts)
        )
    lines[:] = out


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _continues_item(before: list[str]) -> bool:
    """Whether the paragraph so far is an item of a list."""
    for line in reversed(before):
        if not line.strip():
            return False
        if re.match(r"\s*(- |\d+\. )", line):
            return True
    return False


def _escaped(text: str) -> str:
    return re.sub(r"([*|_\\])", r"\\\1", text)


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("formula", Formula)
    app.connect("builder-inited", make_pages)
    app.connect("autodoc-process-docstring", plain_docstring)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
