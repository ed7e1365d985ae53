"""Maps along knots, and their inverse."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cuesta.data.knots import along, mapped_columns
from cuesta.data.scale import Scaling

EPS = np.finfo(np.float64).eps
KNOTS = st.lists(st.integers(-1000, 1000), min_size=2, max_size=12, unique=True).map(sorted)


@given(KNOTS, hnp.arrays(np.float64, 20, elements=st.floats(-1100, 1100)), st.data())
def test_it_is_numpys_interpolation(knots, x, data):
    places = sorted(
        data.draw(st.lists(st.integers(-9, 9), min_size=len(knots), max_size=len(knots)))
    )
    knots, places = np.array(knots, float), np.array(places, float)
    # A quotient, a product and a sum, of numbers of at most 2,200 and 18.
    np.testing.assert_allclose(
        along(x, knots, places), np.interp(x, knots, places), rtol=0, atol=1e5 * EPS
    )


def scaling():
    """A column along three knots, the last one repeated; a line; and a constant one."""
    return Scaling(
        np.array([0.0, 10.0, 4.0]),
        np.array([1.0, 2.0, 0.0]),
        knots=np.array([[1.0, 2.0, 4.0, 4.0], [7.0] * 4, [0.0] * 4]),
        places=np.array([[-1.0, 1.0, 2.0, 2.0], [3.0] * 4, [0.0] * 4]),
    )


def test_a_column_of_equal_knots_goes_by_shift_and_scale():
    assert mapped_columns(scaling().knots).tolist() == [0]
    x = np.array([[1.5, 12.0, 4.0], [3.0, 7.0, 9.0]])
    assert scaling().apply(x).tolist() == [[0.0, 1.0, 0.0], [1.5, -1.5, 0.0]]


def test_beyond_the_ends_it_is_held_there_and_back():
    x = np.array([[-50.0, 10.0, 4.0], [50.0, 10.0, 4.0]])
    assert scaling().apply(x)[:, 0].tolist() == [-1.0, 2.0]
    assert scaling().undo(np.array([[-9.0, 0.0, 0.0], [9.0, 0.0, 0.0]]))[:, 0].tolist() == [
        1.0,
        4.0,
    ]


def test_flat_ends_hold_whatever_lies_beyond_them():
    knots, places = np.array([0.0, 1.0, 2.0, 3.0]), np.array([-3.0, -3.0, 3.0, 3.0])
    x = np.array([-np.inf, -1e308, 0.5, 1.5, 2.5, 1e308, np.inf])
    assert along(x, knots, places).tolist() == [-3.0, -3.0, -3.0, 0.0, 3.0, 3.0, 3.0]


@given(hnp.arrays(np.float64, (20, 1), elements=st.floats(1.0, 4.0)))
def test_undo_is_the_inverse_between_the_ends(first):
    x = np.hstack([first, first * 3, np.full((20, 1), 4.0)])
    # Slopes between ½ and 2.
    np.testing.assert_allclose(scaling().undo(scaling().apply(x)), x, rtol=0, atol=32 * EPS)


def test_a_missing_value_is_0():
    assert scaling().apply(np.full((1, 3), np.nan)).tolist() == [[0.0, 0.0, 0.0]]


def test_numbers_that_lie_far_are_missing_before_they_are_mapped():
    bounds = np.array([0.0, -np.inf, -np.inf]), np.array([100.0, np.inf, np.inf])
    far = Scaling(
        scaling().shift, scaling().scale, *bounds, knots=scaling().knots, places=scaling().places
    )
    assert far.inputs(np.array([[-9999.0, 10.0, 4.0]])).tolist() == [[0.0, 0.0, 0.0]]
