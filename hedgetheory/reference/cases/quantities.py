"""The tables there are, each with the definition of its quantity."""

from __future__ import annotations

#: Tables, with the definition that each states.
TABLES: dict[str, dict[str, str]] = {
    "density": {
        "formula": "w(r) f(r)",
        "units": "1/reward",
        "assumptions": "with respect to Lebesgue measure, f the density of the law",
    },
    "ratio": {
        "formula": "w(r) = dπ/dπ_ref(r)",
        "units": "1",
        "assumptions": "at an atom, the ratio of the two masses",
    },
    "mass": {
        "formula": "π({r})",
        "units": "1",
        "assumptions": "0 where r is no atom; ties are split evenly, so that the atom at r gets "
        "G(F(r)) − G(F(r−)) under a rank policy",
    },
    "cdf": {"formula": "π(R ≤ r)", "units": "1", "assumptions": "right-continuous"},
    "quantile": {
        "formula": "inf{r : π(R ≤ r) ≥ p}",
        "units": "reward",
        "assumptions": "0 < p < 1",
    },
    "score": {
        "formula": "∂ ln w(r)/∂θ",
        "units": "1/θ",
        "assumptions": "θ is the first parameter of the policy: n, mu, lam, or the first of the "
        "law of draws",
    },
    "score_strength": {
        "formula": "∂ ln w(r)/∂λ",
        "units": "1/λ",
        "assumptions": "of Soft Best-of-n, whose first parameter is n",
    },
    "kl": {"formula": "E_π[ln w]", "units": "nats", "assumptions": "0 ln 0 = 0"},
    "chi2": {"formula": "E_ref[w²] − 1", "units": "1", "assumptions": ""},
    "renyi": {
        "formula": "ln E_ref[w^α]/(α − 1)",
        "units": "nats",
        "assumptions": "order α > 0; α = 1 is the KL divergence",
    },
    "total_variation": {"formula": "½ E_ref|w − 1|", "units": "1", "assumptions": ""},
    "mean_reward": {
        "formula": "E_π[R]",
        "units": "reward",
        "assumptions": "±∞ or undefined where the integral is",
    },
    "mean_quantile": {
        "formula": "E_π[F(R)]",
        "units": "1",
        "assumptions": "F right-continuous: with atoms it is not the win rate",
    },
    "win_rate": {
        "formula": "P(R > R') + ½ P(R = R')",
        "units": "1",
        "assumptions": "R from the policy, R' one independent draw from the reference",
    },
    "gold": {
        "formula": "E_π[g]",
        "units": "gold",
        "assumptions": "g a formula in the quantile u = F(r) or in the reward r",
    },
    "slope": {
        "formula": "∂ E_π[g]/∂λ",
        "units": "gold/λ",
        "assumptions": "of Soft Best-of-n: E[Cov(g, R | the n drawn, softmax weights)], not the "
        "covariance under the policy",
    },
    "expected_draws": {
        "formula": "E[N]",
        "units": "draws",
        "assumptions": "N the number of responses drawn for one answer",
    },
    "threshold": {
        "formula": "θ†: f(θ) = E_θ[g] decreases beyond it",
        "units": "θ",
        "assumptions": "undefined where the curve is not hacked; `integer` compares the integers "
        "next to a real n†, all of them on an exact tie",
    },
    "first_peak": {
        "formula": "the least interior θ at which f(θ) = E_θ[g] has a local maximum",
        "units": "θ",
        "assumptions": "f may turn again beyond it: see threshold; undefined where it has none",
    },
    "gap": {
        "formula": "KL(BoP_μ) − KL(tilt_λ) at equal mean reward",
        "units": "nats",
        "assumptions": "the tilt is of the raw reward",
    },
    "gap_strength": {
        "formula": "λ with E[R] under tilt_λ equal to E[R] under BoP_μ",
        "units": "1/reward",
        "assumptions": "the tilt is of the raw reward",
    },
    "designs": {
        "formula": "of the quantity that starts a case's id, as the table of that name defines it",
        "units": "of that quantity",
        "assumptions": "laws and policies of related systems; the references of par(L, k, m) are "
        "L's quantiles (2i-1)/(2m), each rounded to 2^-20 of L's width (sd, scale); a joint model "
        "gives the proxy's law and gold",
    },
}
_SOURCE = "arXiv 2506.19248, restated in the documentation of hedgetheory"


def definition(table: str) -> dict[str, str]:
    """What the values of a table are."""
    return {"quantity": table, **TABLES[table], "source": _SOURCE}
