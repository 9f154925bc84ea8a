"""The related systems on real tables: programs (CodeT on HumanEval) and solutions (RewardMATH).

    python experiments/systems_on_programs.py [--data ../shared/data]

writes experiments/systems_on_programs.json and docs/systems_on_programs.md. Each row is one run of
``tune`` with seed 0; what is done to the columns first is in its words. Modelling choices, named
where they are made: members of an ensemble on different scales become z-scores over the whole
table; a contaminated response is one of the table's, drawn with chance ε on its own, that gets the
largest proxy of its prompt plus 1 and a true score of 0.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import hashlib
import json
import math
import platform
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

import hedgetheory
from hedgetheory import tune
from hedgetheory.designs.contamination.functions import best_draws
from hedgetheory.designs.listwise.functions import listwise_reward
from hedgetheory.hedgetune.members import AGGREGATORS

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"
OUT, PAGE = ROOT / "experiments/systems_on_programs.json", ROOT / "docs/systems_on_programs.md"
CODET, MATH = "codet_humaneval.csv.gz", "rewardmath.csv.gz"

#: On one scale: shares of tests passed.
SHARES = ("proxy", "proxy_unique_tests", "proxy_top5_tests")
#: All that looks at what programs do; on scales of their own.
EXECUTED = (*SHARES, "proxy_codet", "proxy_agreement")
REWARD_MODELS = tuple(
    f"proxy_{name}"
    for name in (
        *("armorm", "eurus_rm", "beaver", "grm_gemma", "grm_llama3", "internlm2"),
        *("internlm2_20b", "oasst_rm", "skywork_llama3"),
    )
)
JUDGES = tuple(
    f"proxy_{name}"
    for name in ("gpt4", "gpt4o", "opus", "sonnet_3_5", "llama3_70b", "chatgpt", "prometheus_8x7b")
)
STEPWISE = ("math_shepherd", "easy_to_hard", "reasoneval_7b", "reasoneval_34b")
SHAPES = (
    ("PAR's sigmoid, k = 1", "1/(1+exp(-r))"),
    ("sigmoid, k = 10, centre 1/2", "1/(1+exp(-10*(r-1/2)))"),
    ("cube", "r**3"),
    ("a shape that saturates in float64", "tanh(100*r)"),
)
EPSILONS, SEEDS = (Fraction(1, 100), Fraction(1, 25)), range(5)
#: What an honest response is worth: the model's assumption on a proxy without ties (broken at
#: random) and on the proxy as it is, and the true scores, of which the model knows nothing.
TRUTHS = {
    "untied": "true = quantile, ties broken",
    "quantile": "true = quantile, ties kept",
    "true": "true scores",
}

#: Systems without a row, and why.
NO_ROW = {
    "partial": "the tables hold no execution, judge, syntax, schema and n-gram parts of a query",
    "process": "clip and delta need the reward of every step; the tables hold only min, last, "
    "mean and product of the steps (rows below: these four, not the paper's transforms)",
    "likelihood": "no likelihoods of answers in the tables; NOVER's rank reward under a tilt is "
    "the quantile tilt (row below)",
    "cream": "consistency compares the rankings of two checkpoints of one model; the tables hold "
    "no checkpoints",
    "treg": "token probabilities of two policies, of which the tables have none",
    "grpo": "on the raw reward tune has no family; on the quantile it has (row below)",
    "majority": "no second phrasing of any prompt; agreement among the programs of one phrasing "
    "is a proxy of the table (row below), and it looks at all 100 of them",
}

Columns = Mapping[str, Any]


@dataclass(frozen=True)
class Plan:
    """One run of tune: the system it is of, the table, what is selected by, and how."""

    system: str
    table: str
    what: str
    family: str = "bon"
    proxy: tuple[str, ...] = ("proxy",)
    ensemble: str | None = None
    shape: str | None = None
    change: Callable[[Columns], Columns] | None = None
    resamples: int = 1000

    @property
    def id(self) -> str:
        return (
            f"{self.system}: {self.table.split('_')[0].split('.')[0]}, {self.what}, {self.family}"
        )


@cache
def columns(path: Path) -> Columns:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    numbers = [name for name in rows[0] if name.startswith("proxy") or name == "true"]
    found: dict[str, Any] = {name: np.array([float(row[name]) for row in rows]) for name in numbers}
    return {"prompt_id": np.array([row["prompt_id"] for row in rows]), **found}


def standardised(names: tuple[str, ...], table: Columns) -> Columns:
    """z-scores over the whole table: a modelling choice."""
    scores = {name: (table[name] - table[name].mean()) / table[name].std() for name in names}
    return {**table, **scores}


def contaminated(epsilon: Fraction, seed: int, proxy: str, truth: str, table: Columns) -> Columns:
    """Hacked responses in it; what the others are worth, ``truth``, is a key of `TRUTHS`."""
    order = np.unique(table["prompt_id"], return_inverse=True)[1]
    rng = np.random.default_rng(seed)
    hacked = rng.random(len(order)) < float(epsilon)
    breaking = rng.random(len(order))
    scores, gold = table[proxy].copy(), table["true"].copy()
    for prompt in range(order.max() + 1):
        here = np.flatnonzero(order == prompt)
        honest = here[~hacked[here]]
        values = scores[honest]
        if truth == "untied":
            places = np.lexsort((breaking[honest], values))
            scores[honest[places]] = np.arange(1, len(honest) + 1)
            gold[honest] = scores[honest] / (len(honest) + 1)
        elif truth == "quantile":
            below = (values[:, None] > values).sum(1) + (values[:, None] == values).sum(1) / 2
            gold[honest] = below / len(honest)
        scores[here[hacked[here]]] = scores[here].max() + 1
    gold[hacked] = 0
    return {**table, "true": gold, "proxy": scores}


def plans() -> list[Plan]:
    """Every row, in order."""
    found = [Plan("Best-of-n", CODET, "share of own tests passed (plain)")]
    found += [Plan("Best-of-n", CODET, name, proxy=(name,)) for name in EXECUTED[1:]]
    found += [Plan("Best-of-n", MATH, name, proxy=(name,)) for name in REWARD_MODELS]
    for how in AGGREGATORS:
        found += [
            Plan("ensembles", CODET, f"{how} of 3 test shares, raw", proxy=SHARES, ensemble=how),
            Plan(
                "ensembles", CODET, f"{how} of 5 proxies, z-scores", proxy=EXECUTED, ensemble=how,
                change=partial(standardised, EXECUTED),
            ),
            Plan(
                "ensembles", MATH, f"{how} of 9 reward models, z-scores", proxy=REWARD_MODELS,
                ensemble=how, change=partial(standardised, REWARD_MODELS),
            ),
        ]  # fmt: skip
    for family in ("bon", "tilt", "sbon(n=16)"):
        found += [
            Plan("par", CODET, what, family, shape=shape)
            for what, shape in (("no shape", None), *SHAPES)
            if family != "sbon(n=16)" or shape in (None, SHAPES[0][1], SHAPES[1][1])
        ]
    for epsilon in EPSILONS:
        best = " or ".join(map(str, best_draws(epsilon)))
        for truth, says in TRUTHS.items():
            for seed in SEEDS:
                what = f"proxy_codet, eps = {epsilon} (model: {best}), {says}, seed {seed}"
                change = partial(contaminated, epsilon, seed, "proxy_codet", truth)
                few = 0 if seed else 1000
                found.append(Plan("contamination", CODET, what, change=change, resamples=few))
    found += [
        Plan("superhf", CODET, "plain", "superhf(beta=0.23)"),
        Plan("fk", CODET, "plain", "fk(k=4)"),
        Plan("grpo", CODET, "plain, on its quantile", "grpo(scale=quantile)"),
        Plan("likelihood", CODET, "plain, rank reward", "quantile_tilt"),
        Plan("majority", CODET, "agreement among 100 programs", proxy=("proxy_agreement",)),
    ]
    for model in STEPWISE:
        for how in ("min", "last", "mean", "prod"):
            name = f"proxy_{model}_{how}"
            found.append(Plan("process", MATH, name, proxy=(name,)))
    return found + [Plan("listwise", MATH, name, proxy=(name,)) for name in JUDGES]


def measure(plan: Plan, data: Path = DATA) -> dict[str, Any]:
    """The row of a plan: numbers of ``tune``."""
    table = columns(data / plan.table)
    if plan.change is not None:
        table = plan.change(table)
    found = tune(
        table,
        plan.family,
        proxy=plan.proxy if plan.ensemble else plan.proxy[0],
        ensemble=plan.ensemble,
        shape=plan.shape,
        resamples=plan.resamples,
    )
    row = {
        "id": plan.id,
        "system": plan.system,
        "table": plan.table,
        "what": plan.what,
        "family": plan.family,
        "proxy": list(plan.proxy),
        "ensemble": plan.ensemble,
        "shape": plan.shape,
        "resamples": plan.resamples,
        "parameter": found.parameter,
    }
    for name in (
        *("theta", "theta_interval", "threshold", "threshold_interval", "value", "value_heldout"),
        *("kl", "regime", "regime_support", "regret", "regret_interval", "hacks", "warnings"),
    ):
        row[name] = getattr(found, name)
    if plan.system == "listwise":
        row |= _listwise(table, plan.proxy[0])
        row["kl_at_largest_n"] = found.largest["kl"]
        largest = float(found.largest["theta"] or 1)
        row["kl_formula_without_ties"] = math.log(largest) - (largest - 1) / largest
    return row


def _listwise(table: Columns, name: str) -> dict[str, float]:
    """The mean listwise reward of a judge over prompts, and that of a constant judge."""
    judged: list[Fraction] = []
    constant: list[Fraction] = []
    for prompt in np.unique(table["prompt_id"]):
        here = table["prompt_id"] == prompt
        true, scores = table["true"][here].tolist(), table[name][here].tolist()
        judged.append(listwise_reward(true, scores))
        constant.append(listwise_reward(true, [1] * len(true)))
    return {
        "listwise_reward": float(sum(judged) / len(judged)),
        "listwise_reward_of_a_constant": float(sum(constant) / len(constant)),
    }


def findings(rows: list[dict[str, Any]]) -> list[str]:
    """What the rows say side by side: numbers of the rows, nothing else."""
    plain = rows[0]
    found = [
        f"Plain (CodeT's share of own tests passed, Best-of-n): {_short(plain)}, KL "
        f"{plain['kl']:.4f} nats."
    ]
    for part in ("3 test shares", "5 proxies", "9 reward models"):
        joined = [row for row in rows if part in row["what"]]
        members = set(joined[0]["proxy"])
        alone = [r for r in rows if r["system"] == "Best-of-n" and set(r["proxy"]) <= members]
        best, single = (max(some, key=lambda row: row["value"]) for some in (joined, alone))
        best_ns = sorted(row["theta"] for row in joined)
        found.append(
            f"Ensembles of {part}: best n from {best_ns[0]} to {best_ns[-1]}; the best of the "
            f"seven, in hindsight, is {best['ensemble']} with {best['value']:.4f}, the best single "
            f"member {single['proxy'][0]} has {single['value']:.4f}."
        )
    for family in ("bon", "tilt", "sbon(n=16)"):
        bent = [r for r in rows if r["system"] == "par" and r["family"] == family]
        each = "; ".join(f"{row['what']}: {_short(row)}" for row in bent)
        found.append(f"Shapes under {family}: {each}.")
    for epsilon in EPSILONS:
        runs = [r for r in rows if f"eps = {epsilon} " in r["what"]]
        each = "; ".join(
            f"{says}: {', '.join(str(r['theta']) for r in runs if says in r['what'])}"
            for says in TRUTHS.values()
        )
        best = " or ".join(map(str, best_draws(epsilon)))
        found.append(f"Contamination, eps = {epsilon}, model's best n {best}; measured, {each}.")
    for system in ("superhf", "fk", "grpo", "likelihood", "majority"):
        row = next(r for r in rows if r["system"] == system)
        found.append(f"{row['family']} ({row['what']}): {_short(row)}, KL {row['kl']:.4f} nats.")
    return found


def _short(row: dict[str, Any]) -> str:
    return (
        f"{row['parameter']} = {row['theta']:.4g}{_ends(row['theta_interval'])} "
        f"with {row['value']:.4f}"
    )


def page(document: dict[str, Any]) -> str:
    """The page of the documentation: the same numbers as a table for each system."""
    v = document["versions"]
    lines = [
        "# The related systems on real tables",
        "",
        "Made by `experiments/systems_on_programs.py`; nothing here is typed. One line is one run",
        "of `tune` (seed 0, 1000 resamples, 95 % intervals; [n] says another number of resamples) "
        "on CodeT's",
        "164 HumanEval prompts with 100 programs each, or RewardMATH's 483 problems with 10 "
        "solutions.",
        "Measured, on these tables; no claim about others. "
        f"hedgetheory {v['hedgetheory']}, numpy {v['numpy']},",
        f"Python {v['python']}. Modelling choices: members on different scales are z-scores over "
        "the table;",
        "a hacked response gets the largest proxy of its prompt + 1 and a true score of 0. "
        "`proxy_codet`",
        "and `proxy_agreement` were computed from all 100 programs of a prompt, also where n is "
        "smaller.",
        "Tables: microsoft/CodeT and kimsh0507/RewardMATH_official, both MIT; `theta` of sbon, fk "
        "and tilt is",
        "in units of the proxy, so that a shape changes its scale with its place.",
        "",
    ]
    lines += ["## Side by side", "", *(f"- {text}" for text in findings(document["rows"])), ""]
    systems = list(dict.fromkeys(row["system"] for row in document["rows"]))
    for system in systems:
        rows = [row for row in document["rows"] if row["system"] == system]
        name = rows[0]["parameter"] if len({r["family"] for r in rows}) == 1 else "parameter"
        lines += [
            f"## {system}",
            "",
            f"| table | proxy | family | best {name} | turn of the curve | value | held out | KL "
            "| regime | hacks |",
            "|---|---|---|---|---|---|---|---|---|---|",
        ]
        lines += [_line(row) for row in rows]
        lines.append("")
        if system == "listwise":
            lines += [
                f"- {row['what']}: mean listwise reward {row['listwise_reward']:.4f}, a constant "
                f"judge {row['listwise_reward_of_a_constant']:.4f}; KL at n = 10 "
                f"{row['kl_at_largest_n']:.4f}, without ties {row['kl_formula_without_ties']:.4f}"
                for row in rows
            ]
            lines.append("")
    lines += ["## No row, or not the paper's own", ""]
    lines += [f"- {system}: {why}." for system, why in document["no_row"].items()]
    warned = [(row["id"], text) for row in document["rows"] for text in row["warnings"]]
    lines += ["", "## Warnings of the runs", ""]
    lines += [f"- {name}: {text}" for name, text in warned]
    return "\n".join(lines) + "\n"


def _line(row: dict[str, Any]) -> str:
    few = "" if row["resamples"] == 1000 else f" [{row['resamples']}]"
    hacks = {True: "yes", False: "no sign", None: "-"}[row["hacks"]]
    cells = [
        row["table"].split("_")[0].split(".")[0],
        row["what"].replace("|", "/"),
        f"{row['family']}{few}",
        f"{row['theta']:.5g}{_ends(row['theta_interval'])}",
        "-" if row["threshold"] is None
        else f"{row['threshold']:.4g}{_ends(row['threshold_interval'])}",
        f"{row['value']:.4f}",
        "-" if row["value_heldout"] is None else f"{row['value_heldout']:.4f}",
        "-" if row["kl"] is None else f"{row['kl']:.4f}",
        row["regime"],
        hacks,
    ]  # fmt: skip
    return "| " + " | ".join(cells) + " |"


def _ends(interval: list[float] | None) -> str:
    return "" if interval is None else f" ({interval[0]:.4g} to {interval[1]:.4g})"


def main() -> int:
    parser = argparse.ArgumentParser(description="The related systems on real tables.")
    parser.add_argument("--data", type=Path, default=DATA)
    data = parser.parse_args().data
    rows = []
    for plan in plans():
        start = time.process_time()
        rows.append(measure(plan, data))
        print(f"{time.process_time() - start:6.2f} s  {plan.id}", file=sys.stderr, flush=True)
    document = {
        "made_by": "experiments/systems_on_programs.py",
        "versions": {
            "hedgetheory": hedgetheory.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
        "sha256": {
            name: hashlib.sha256((data / name).read_bytes()).hexdigest() for name in (CODET, MATH)
        },
        "seed": 0,
        "cpu_seconds": round(time.process_time(), 1),
        "no_row": NO_ROW,
        "rows": rows,
    }
    OUT.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    PAGE.write_text(page(document), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
