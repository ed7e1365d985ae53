import math

import numpy as np
import pytest

from cuesta.core.init import init_layers
from cuesta.errors import SpecError

M, N = 400, 300
VARIANCES = {  # of one weight (N10)
    "uniform": 1 / (3 * M),
    "normal": 1 / M,
    "glorot": 2 / (M + N),
    "he": 2 / M,
}


@pytest.mark.parametrize("name", VARIANCES)
def test_variance_is_what_the_scheme_says(name):
    w = init_layers([0], (M, N), name)[0].w
    # The variance of M·N draws is within 4·√(2/MN) of its value, at most 1.7 %; a normal's most.
    assert w.var() == pytest.approx(VARIANCES[name], rel=4 * math.sqrt(2 / (M * N)))
    assert abs(w.mean()) < 4 * math.sqrt(VARIANCES[name] / (M * N))


@pytest.mark.parametrize(
    ("name", "bound"), [("uniform", M**-0.5), ("glorot", (6 / (M + N)) ** 0.5)]
)
def test_uniform_schemes_fill_their_interval_and_stay_inside(name, bound):
    w = init_layers([0], (M, N), name)[0].w
    assert 0.999 * bound < np.abs(w).max() <= np.float32(bound)


def test_he_keeps_the_size_of_relu_units_through_the_layers():
    rng = np.random.default_rng(0)
    units = rng.standard_normal((2000, 256))
    for layer in init_layers([1], (256, 256, 256, 256), "he"):
        units = np.maximum(units @ layer.w, 0)
    # He's variance keeps E[unit²]; three layers of 256 units wander by about √(5/256) each.
    assert (units**2).mean() == pytest.approx(1.0, rel=3 * math.sqrt(3 * 5 / 256))


def test_notes_uniform_divides_the_variance_of_a_linear_layer_by_three():
    rng = np.random.default_rng(0)
    out = rng.standard_normal((2000, M)) @ init_layers([2], (M, N), "uniform")[0].w
    assert out.var() == pytest.approx(1 / 3, rel=0.05)


def test_biases_begin_at_zero():
    assert all(not layer.b.any() for layer in init_layers([0], (3, 4, 5), "he"))


def test_schemes_of_one_distribution_share_their_draw():
    w, v = (init_layers([9], (M, N), name)[0].w for name in ("normal", "he"))
    np.testing.assert_allclose(v / w, math.sqrt(2), rtol=1e-5)


def test_seeds_and_layers_draw_differently():
    a, b = init_layers([0], (6, 6, 6), "he")
    c = init_layers([1], (6, 6, 6), "he")[0]
    assert not np.array_equal(a.w, b.w)
    assert not np.array_equal(a.w, c.w)


def test_unknown_scheme_is_an_error():
    with pytest.raises(SpecError, match="init 'xavier'"):
        init_layers([0], (2, 2), "xavier")
