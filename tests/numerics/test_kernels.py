"""The tables and grids behind the float64 layer, each against mpmath or an exact value."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

from hedgetheory.functionals.floating.grids import normal_grid, normal_grid_up_to, unit_grid
from hedgetheory.numerics.kernels import normal_power
from hedgetheory.numerics.kernels.fused import CellTable, pieces_into
from hedgetheory.numerics.kernels.pieces import BLOCK, mp_context


@pytest.mark.parametrize("count", [5, 76, 112])
def test_nodes_of_the_unit_interval_integrate_monomials_exactly(count: int) -> None:
    grid = unit_grid(count)
    for power in (0, 1, 7, 2 * count - 1 if count == 5 else 100):
        for x in (grid.u, grid.ubar):
            assert grid.weights @ x**power == pytest.approx(1 / (power + 1), rel=4e-15)


def test_nodes_of_the_unit_interval_have_relative_accuracy_at_both_ends() -> None:
    # Legendre's zeros are symmetric, so that ū is u backwards, to the last digit of the small ones.
    grid = unit_grid(76)
    np.testing.assert_array_equal(grid.ubar, grid.u[::-1])
    log = np.where(grid.u < 0.5, np.log(grid.u), np.log1p(-grid.ubar))
    np.testing.assert_allclose(grid.log_u, log, rtol=4e-16)


def test_the_normal_grid_integrates_the_gini_mean_difference() -> None:
    # ∫ Φ(z) Φ(−z) dz = 1/√π.
    grid = normal_grid()
    assert grid.weights @ (grid.u * grid.ubar) == pytest.approx(1 / np.sqrt(np.pi), rel=4e-16)
    short = normal_grid_up_to(1.0)
    assert short.u.size < grid.u.size / 2
    assert short.weights @ (short.u * short.ubar) == pytest.approx(1 / np.sqrt(np.pi), rel=4e-16)


def test_the_normal_grid_integrates_the_maximum_of_many() -> None:
    # E[max of n] = ∫ (Φ − Φⁿ) dz, against a trapezoid four times as fine in another arithmetic.
    grid = normal_grid_up_to(1e30)
    found = -(grid.u * np.expm1((1e30 - 1) * grid.log_u)) @ grid.weights
    with mpmath.workdps(50):
        step, n = mpmath.mpf(1) / 64, mpmath.mpf(10) ** 30

        def integrand(z: mpmath.mpf) -> mpmath.mpf:
            tail = mpmath.ncdf(-abs(z))
            log = mpmath.log(tail) if z < 0 else mpmath.log1p(-tail)
            return mpmath.exp(log) - mpmath.exp(n * log)

        exact = step * mpmath.fsum(integrand(j * step) for j in range(-10 * 64, 17 * 64))
    assert found == pytest.approx(float(exact), rel=4e-15)


def test_a_table_of_cells_is_right_at_both_ends_and_on_panels() -> None:
    mp = mp_context()
    table = CellTable(lambda y: mp.cos(3 * y) + 2)
    rng = np.random.default_rng(0)
    y = np.concatenate([[0.0, 1.0, 1e-300, 1 - 2.0**-53, 0.5], rng.random(2000)])
    out, spare = np.empty_like(y), np.empty_like(y)
    table.into(y, spare, out)
    np.testing.assert_allclose(out, np.cos(3 * y) + 2, rtol=2e-15)
    inside = np.linspace(5 / 32, 6 / 32, 50)
    table.on_panel(5, inside, spare[:50], out[:50])
    np.testing.assert_allclose(out[:50], np.cos(3 * inside) + 2, rtol=2e-15)


def test_pieces_take_each_number_once_in_any_order() -> None:
    def constant(value: float):  # type: ignore[no-untyped-def]
        return lambda x, out: out.fill(value)

    kernels = [constant(v) for v in (0.0, 1.0, 2.0)]
    x = np.array([0.5, 1.0, 1.5, 2.0, 9.0])
    out = np.empty_like(x)
    pieces_into(x, out, (1.0, 2.0), kernels, (constant(7.0), 1.5, constant(8.0)))
    assert out.tolist() == [0.0, 1.0, 1.0, 2.0, 2.0]
    pieces_into(x[::-1], out, (1.0, 2.0), kernels, (constant(7.0), 1.5, constant(8.0)))
    assert out.tolist() == [7.0, 7.0, 7.0, 8.0, 8.0]
    # A block that is in order at its start only.
    x = np.arange(float(BLOCK))
    x[-1] = 0.0
    out = np.empty_like(x)
    pieces_into(x, out, (1.0, 2.0), kernels, (constant(7.0), 0.0, constant(8.0)))
    assert (out == 7.0).all()


def test_powers_of_the_normal_cdf_keep_their_digits_where_the_exponent_is_large() -> None:
    z = np.array([-38.4, -20.03, -5.5, -0.7, 0.01, 1.3, 2.99])
    with mpmath.workdps(50):
        logs = [mpmath.log(mpmath.ncdf(x)) if x < 0 else mpmath.log1p(-mpmath.ncdf(-x)) for x in z]
        # Exponents of about −700, with all the bits of θ in use.
        theta = np.array([float(-700 / log) for log in logs])
        exact = [float(mpmath.exp(mpmath.mpf(t) * log)) for t, log in zip(theta, logs, strict=True)]
    slope, _ = normal_power.log_cdf_parts((z, np.zeros_like(z)))
    np.testing.assert_allclose(normal_power.power(theta, slope, None), exact, rtol=3e-15)
