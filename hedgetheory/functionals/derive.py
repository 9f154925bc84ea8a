"""`derive`: the closed form of a quantity along a family, with the proof that it is right."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import sympy
from sympy import Symbol, exp, log

from hedgetheory.errors import InputError, NotOnThisLaw, nearest
from hedgetheory.exact import short
from hedgetheory.expressions.prover import Antiderivative, Proof, Step, identity, limit_is
from hedgetheory.expressions.symbols import alpha, lam, r, total, u, ubar
from hedgetheory.expressions.vocabulary import VOCABULARY, wright_omega
from hedgetheory.functionals.bind import bind
from hedgetheory.functionals.bound import Bound
from hedgetheory.functionals.closed_forms import RANK_FORMS, ClosedForm, mean_reward, policy_key
from hedgetheory.functionals.plans import AtomSum, Closed, Infinite, Plan, Undefined
from hedgetheory.functionals.quantities import QUANTITIES
from hedgetheory.functionals.soft.two_draws import TWO_DRAWS
from hedgetheory.laws.base import ContinuousLaw, FiniteLaw, Law, exact_symbol
from hedgetheory.laws.exponential import Exponential
from hedgetheory.laws.logistic import Logistic
from hedgetheory.laws.normal import Normal
from hedgetheory.laws.uniform import Uniform
from hedgetheory.policies.base import Policy, RankPolicy, in_u
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.policies.family import Family
from hedgetheory.policies.quantile_tilt import QuantileTilt
from hedgetheory.policies.soft_best_of_n import SoftBestOfN
from hedgetheory.policies.tilt import Tilt

#: More atoms than this make a formula that nobody reads.
MAX_ATOMS = 20

_SYMBOL_NAMES = {lam: r"\lambda", ubar: r"\bar{u}"}


@dataclass(frozen=True)
class Derivation:
    """A closed form in the family's symbol and its proof; ``where`` explains the names in it."""

    expr: sympy.Expr
    proof: Proof
    where: Mapping[str, str] = field(default_factory=dict)

    @property
    def formula(self) -> str:
        return str(self.expr)

    @property
    def latex(self) -> str:
        return str(sympy.latex(self.expr, symbol_names=_SYMBOL_NAMES))


def derive(law: Law, family: Family, quantity: str) -> Derivation:
    """The closed form of a quantity of the family's members on the law, with its proof.

    Divergences and means are formulas in the family's symbol (and `alpha`, the order). Pointwise
    quantities are formulas in the proxy quantile u or the reward r, as ``where`` says. On atoms
    the formula is the sum that defines the quantity.

    Returns a Derivation; ``proof.holds`` says whether every step of the proof was checked. Raises
    InputError where there is no closed form (`value` then integrates, certified), and NotOnThisLaw
    where no member exists on the law.

    >>> from hedgetheory.policies.best_of_poisson import BestOfPoisson
    >>> bop = Family("bop", BestOfPoisson, BestOfPoisson.symbols[0], BestOfPoisson.domains[0])
    >>> found = derive(Uniform(), bop, "chi2")
    >>> found.formula, found.proof.holds
    ('2*mu**2*phi3(-2*mu)', True)
    """
    if not (isinstance(law, Law) and isinstance(family, Family)):
        raise InputError(
            f"derive takes a law and a family, not {law!r} and {family!r}: parse_law and "
            "parse_family read text"
        )
    if quantity not in QUANTITIES:
        raise InputError(f"unknown quantity {quantity}: {nearest(quantity, list(QUANTITIES))}")
    member = _member(law, family)
    fixed = {
        symbol: exact_symbol(value)
        for symbol, value in member.bindings.items()
        if symbol != family.symbol
    }
    found = _found(law, member, family.symbol, quantity)
    if found is None:
        raise InputError(
            f"{quantity} of {family} on {law} has no closed form here: ask for its certified value"
        )
    expr = in_u(found.expr).xreplace(fixed)
    return Derivation(expr, found.proof, {**found.where, **_vocabulary(expr)})


def _member(law: Law, family: Family) -> Policy:
    """A member inside the domain that exists on the law: formulas are read off from it."""
    low, high = family.domain.lower, family.domain.upper
    theta = low + 1 if high is None else (low + high) / 2
    for _ in range(64):
        policy = family.at(theta)
        try:
            bind(policy, law)
        except NotOnThisLaw:
            theta = (low + theta) / 2
            continue
        return policy
    raise NotOnThisLaw(f"no member of {family} beyond {short(low)} was found to exist on {law}")


def _found(law: Law, member: Policy, theta: Symbol, quantity: str) -> Derivation | None:
    if quantity == "expected_draws":
        return _expected_draws(member, law)
    if isinstance(member, SoftBestOfN):
        return _soft(law, member, theta, quantity)
    if isinstance(law, FiniteLaw):
        return _on_atoms(bind(member, law), law, quantity)
    if not isinstance(law, ContinuousLaw):
        return None
    if isinstance(member, Tilt) and isinstance(law, Uniform):
        member = QuantileTilt(member.strength)  # the reward is its own quantile
    if isinstance(member, Tilt):
        return _tilt(law, quantity)
    assert isinstance(member, RankPolicy)
    return _rank(law, member, theta, quantity)


def _soft(law: Law, member: SoftBestOfN, theta: Symbol, quantity: str) -> Derivation | None:
    """Soft Best-of-n is a race integral but for two draws on the quantile scale."""
    by_rank = isinstance(law, Uniform) or (
        isinstance(law, ContinuousLaw) and member.scale == "quantile"
    )
    if quantity != "ratio" or theta != lam or member.draws != 2 or not by_rank:
        return None
    return Derivation(TWO_DRAWS.expr, TWO_DRAWS.prove(), {"u": "the proxy quantile"})


def _vocabulary(expr: sympy.Expr) -> dict[str, str]:
    """The definitions of the special functions that a formula uses."""
    x = Symbol("x", positive=True)
    return {f"{f.__name__}(x)": str(f.definition(x)) for f in VOCABULARY if expr.has(f)}


def _definition(says: str) -> Step:
    return Step(says, "definition", holds=True)


# -- rank policies on a law without atoms ----------------------------------------------------------


def _rank(law: ContinuousLaw, member: RankPolicy, theta: Symbol, name: str) -> Derivation | None:
    quantile = {"u": "F(r), the proxy quantile"}
    statement = _definition(f"the rank cdf of {member.name} is G(u) = {in_u(member.cdf)}")
    slope = identity(
        "w(u) = dG/du, the likelihood ratio at quantile u",
        in_u(member.ratio) - sympy.diff(in_u(member.cdf), u),
    )
    log_ratio = in_u(member.log_ratio)
    if name == "cdf":
        return Derivation(in_u(member.cdf), Proof("cdf = G(F(r))", (statement,)), quantile)
    if name == "ratio":
        return Derivation(in_u(member.ratio), Proof("w = G′(F(r))", (statement, slope)), quantile)
    if name == "density":
        expr = (member.ratio * law.pdf).xreplace({u: law.cdf, ubar: law.survival})
        density = _definition(f"the reference density is f(r) = {law.pdf}")
        return Derivation(expr, Proof("density = w(F(r)) f(r)", (statement, slope, density)))
    if name == "score":
        score = sympy.diff(log_ratio, theta)
        ratio = in_u(member.ratio)
        step = identity(f"d(ln w)/d{theta} = (dw/d{theta})/w", score - ratio.diff(theta) / ratio)
        return Derivation(score, Proof("the score", (statement, slope, step)), quantile)
    if name == "mass":
        return Derivation(sympy.S.Zero, Proof("no atoms", (_definition(f"{law} has a density"),)))
    if name == "quantile":
        return _rank_quantile(law, member, statement)
    form = _rank_form(law, member, name)
    return None if form is None else Derivation(form.expr, form.prove())


def _rank_quantile(law: ContinuousLaw, member: RankPolicy, statement: Step) -> Derivation | None:
    if member.inverse is None:
        return None
    rest = 1 - member.inverse if member.inverse_bar is None else member.inverse_bar
    # In the one of u and ū = 1 − u that G is written in: both are positive symbols, so that a power
    # of a power can be taken apart.
    single = {ubar: 1 - u} if member.cdf.has(u) else {u: 1 - ubar}
    if member.inverse.has(wright_omega):
        step = _by_wright_omega(in_u(member.cdf), member.inverse)
    else:
        at_inverse = member.cdf.xreplace({u: member.inverse, ubar: rest})
        step = identity("G(G⁻¹(u)) = u", (at_inverse - u).xreplace(single))
    other = identity(f"1 − G⁻¹(u) = {rest}", (1 - member.inverse - rest).xreplace(single))
    expr = in_u(law.quantile.xreplace({u: member.inverse, ubar: rest}))
    quantile = _definition(f"the quantile function of {law} is Q(u) = {law.quantile}")
    where = {"u": "the probability asked for"}
    return Derivation(
        expr, Proof("quantile = Q(G⁻¹(u))", (statement, step, other, quantile)), where
    )


def _by_wright_omega(cdf: sympy.Expr, inverse: sympy.Expr) -> Step:
    """ln G(G⁻¹(u)) = ln u, with ln u from the equation ω + ln ω = x that defines ω(x)."""
    (called,) = inverse.atoms(wright_omega)
    omega = Symbol("omega", positive=True)
    log_u = log(u) + (omega + log(omega) - called.args[0])
    at_inverse = cdf.xreplace({u: inverse.xreplace({called: omega})})
    says = f"ln G(G⁻¹(u)) = ln u, omega = {called} solving omega + ln omega = {called.args[0]}"
    return identity(says, sympy.expand_log(log(at_inverse)) - log_u)


def _rank_form(law: ContinuousLaw, member: RankPolicy, name: str) -> ClosedForm | None:
    key = policy_key(member)
    if name == "mean_reward" and not isinstance(law, Uniform):
        return mean_reward(key, law)
    # No ties on a law without atoms: the win rate is E[F(R)]; on the uniform law r is u.
    same = {"win_rate": "mean_quantile", "mean_reward": "mean_quantile"}
    return RANK_FORMS.get((key, same.get(name, name)))


def _expected_draws(member: Policy, law: Law) -> Derivation | None:
    if isinstance(member, Tilt) and isinstance(law, Uniform):
        member = QuantileTilt(member.strength)
    if not isinstance(member, RankPolicy) or member.mean_draws == sympy.oo:
        return None
    statement = f"E[N] = G′(1), with G(u) = {in_u(member.cdf)} the pgf of N"
    if isinstance(member, BestOfN):
        return Derivation(member.mean_draws, Proof(statement, (_definition("N = n"),)))
    slope = identity("w = G′", in_u(member.ratio) - sympy.diff(in_u(member.cdf), u))
    end = limit_is("w(1) = E[N]", in_u(member.ratio), u, sympy.S.One, member.mean_draws)
    return Derivation(member.mean_draws, Proof(statement, (slope, end)))


# -- the tilt of the raw reward on a law without atoms ---------------------------------------------

_INSIDE_MEANS = "K′(λ) = E_λ[R]: M is differentiated under the integral, inside its domain"


def _tilt(law: ContinuousLaw, name: str) -> Derivation | None:
    k = law.log_mgf
    mean = sympy.diff(k, lam)
    log_ratio = lam * r - k
    normaliser = _normaliser(law)
    ratio = _definition("w = e^{λr}/M(λ), so ln w = λr − K with K = ln M")
    moment = k.xreplace({lam: alpha * lam}) - alpha * k  # ln E[w^α]
    power = identity(
        "w^α f = (M(αλ)/M(λ)^α) · e^{αλr} f/M(αλ), and the last integrates to one",
        alpha * log_ratio - (alpha * lam * r - k.xreplace({lam: alpha * lam})) - moment,
    )
    means = (_INSIDE_MEANS,)

    def made(
        expr: sympy.Expr, statement: str, *steps: Step, cites: tuple[str, ...] = ()
    ) -> Derivation:
        proof = Proof(statement, (*normaliser.steps, *steps), (*normaliser.rests_on, *cites))
        return Derivation(expr, proof, {"r": "the reward"} if expr.has(r) else {})

    squared = exp(moment.xreplace({alpha: sympy.Integer(2)})) - 1
    second = identity(
        "E[w²] − 1 at order 2", squared - (exp(moment) - 1).xreplace({alpha: sympy.Integer(2)})
    )
    kl = lam * mean - k
    linear = identity("λE[R] − K at E[R] = K′", log_ratio.xreplace({r: mean}) - kl)
    forms: dict[str, Callable[[], Derivation]] = {
        "ratio": lambda: made(exp(log_ratio), "w = e^{λr}/M(λ)", ratio),
        "density": lambda: made(exp(log_ratio) * law.pdf, "density = e^{λr − K} f(r)", ratio),
        "mass": lambda: made(sympy.S.Zero, "no atoms", _definition(f"{law} has a density")),
        "score": lambda: made(
            sympy.diff(log_ratio, lam), "d(ln w)/dλ = r − K′(λ)", ratio,
            identity("d(λr − K)/dλ = r − K′", sympy.diff(log_ratio, lam) - (r - mean)),
        ),
        "kl": lambda: made(
            kl, "KL = E_λ[ln w] = λK′ − K, ln w being linear in r", ratio, linear, cites=means
        ),
        "mean_reward": lambda: made(mean, "E_λ[R] = K′(λ)", ratio, cites=means),
        "renyi": lambda: made(
            moment / (alpha - 1), "ln E[w^α]/(α − 1), E[w^α] = M(αλ)/M(λ)^α", ratio, power
        ),
        "chi2": lambda: made(
            squared, "E[w²] − 1 = M(2λ)/M(λ)² − 1", ratio, power, second
        ),
    }  # fmt: skip
    return forms[name]() if name in forms else None


def _normaliser(law: ContinuousLaw) -> Proof:
    """M(λ) = ∫ e^{λr} f(r) dr = e^K, by an antiderivative or, for the logistic law, a citation."""
    k = law.log_mgf
    if isinstance(law, Logistic):
        location, scale = exact_symbol(law.loc), exact_symbol(law.scale)
        step = identity(
            "λQ(u) = λ loc + λ scale (ln u − ln(1 − u))",
            lam * location + lam * scale * (log(u) - log(1 - u)) - lam * in_u(law.quantile),
        )
        beta = sympy.expand_log(
            k - location * lam - sympy.loggamma(1 + scale * lam) - sympy.loggamma(1 - scale * lam)
        )
        return Proof(
            "M(λ) = e^K",
            (step, identity("K = λ loc + ln B(1 + λ scale, 1 − λ scale)", beta)),
            ("∫₀¹ u^{a−1}(1 − u)^{b−1} du = Γ(a)Γ(b)/Γ(a + b), a, b > 0 (DLMF 5.12.1)",),
        )
    integrand = exp(lam * r) * law.pdf
    if isinstance(law, Exponential):
        rate = exact_symbol(law.rate)
        excess = Symbol("d", positive=True)
        return Antiderivative(
            integrand, -rate / (rate - lam) * exp((lam - rate) * r), r, exp(k), sympy.S.Zero,
            sympy.oo, ends={sympy.oo: sympy.S.Zero}, domain={lam: rate / (1 + excess)},
        ).prove("M(λ) = ∫ e^{λr} f(r) dr = e^K for λ < rate")  # fmt: skip
    if isinstance(law, Normal):
        centre, sd = exact_symbol(law.mean), exact_symbol(law.sd)
        z = (r - centre) / sd - sd * lam
        return Antiderivative(
            integrand, exp(k) * (1 + sympy.erf(z / sympy.sqrt(2))) / 2, r, exp(k), -sympy.oo,
            sympy.oo, ends={-sympy.oo: sympy.S.Zero, sympy.oo: exp(k)},
        ).prove("M(λ) = ∫ e^{λr} f(r) dr = e^K")  # fmt: skip
    return Proof("M(λ) = e^K", (_definition(f"{law} states K(λ) = {k}"),))


# -- laws on finitely many atoms -------------------------------------------------------------------


def _on_atoms(bound: Bound, law: FiniteLaw, name: str) -> Derivation | None:
    simple: dict[str, Callable[[], Any]] = {
        **{
            each: getattr(bound, each)
            for each in (
                "kl",
                "chi2",
                "total_variation",
                "mean_reward",
                "mean_quantile",
                "win_rate",
            )
        },
        "renyi": lambda: bound.renyi(Fraction(2)),
    }
    if name not in simple or len(law.atoms) > MAX_ATOMS:
        return None
    expr = _written_out(next(iter(simple[name]())))
    if expr is None:
        return None
    says = f"the finite sum that defines {name}, over the {len(law.atoms)} atoms of {law}"
    return Derivation(expr, Proof(says, (_definition(says),)))


def _written_out(plan: Plan) -> sympy.Expr | None:
    """A sum over atoms written out in the policy's own symbols."""
    if isinstance(plan, Closed):
        return plan.expr.xreplace(_inner(plan.bindings))
    if not isinstance(plan, AtomSum):
        assert not isinstance(plan, (Infinite, Undefined))
        return None
    inner = _inner(plan.bindings)
    terms = []
    for row in plan.rows:
        place = dict(zip(plan.columns, map(exact_symbol, row), strict=True))
        terms.append(plan.term.subs(place).xreplace(inner))
    return plan.post.xreplace({**inner, total: sympy.Add(*terms)})


def _inner(bindings: Mapping[Symbol, Any]) -> dict[Symbol, sympy.Expr]:
    """What a binding stands for: a nested sum, or a number that is not a parameter."""
    found: dict[Symbol, sympy.Expr] = {}
    for symbol, value in bindings.items():
        if not isinstance(value, Fraction):
            written = _written_out(value)
            assert written is not None
            found[symbol] = written
        elif symbol.name == "largest_reward":
            found[symbol] = exact_symbol(value)
    return found
