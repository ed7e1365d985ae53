"""The landscape of a network: the plane is where it is said to be, and J on it is J."""

import numpy as np
import pytest
from sklearn.datasets import load_digits, load_iris
from typer.testing import CliRunner

from cuesta import MLPClassifier
from cuesta.cli import app
from cuesta.data.scale import fit_scaling
from cuesta.diagnose.surface import POINTS, principal_directions, share_left_out

pytestmark = pytest.mark.slow("maps a surface with its paths")

IRIS = load_iris(return_X_y=True)
TWO = {"a": {"learning_rate": 1e-3}, "b": {"optimizer": "sgd", "learning_rate": 0.3}}


def quick(**changes):
    return MLPClassifier(**{"hidden_layer_sizes": (5,), "epochs": 4, "random_state": 0, **changes})


@pytest.fixture(scope="module")
def seen():
    return quick().landscape(*IRIS, TWO)


def loss_of(net):
    shares = net.predict_proba(IRIS[0])
    return -np.log(shares[np.arange(150), IRIS[1]]).mean()


def test_a_paths_end_is_the_network_that_fit_gives(seen):
    for path, changes in zip(seen.paths, TWO.values(), strict=True):
        net = quick(**changes).fit(*IRIS)
        # The forward pass of prediction is in float64.
        assert path.heights[-1] == pytest.approx(loss_of(net), rel=1e-4)
        assert len(path.places) == len(path.heights) == 5


@pytest.mark.parametrize(
    "how",
    [
        {"numeric_embedding": "pbld", "input_scale": True},
        {"architecture": "resnet", "hidden_layer_sizes": (5, 5)},
    ],
    ids=["embedded", "residual"],
)
def test_so_it_is_with_embeddings_and_residual_layers(how):
    (path,) = quick(**how).landscape(*IRIS, {"a": {"learning_rate": 0.01}}).paths
    net = quick(**how, learning_rate=0.01).fit(*IRIS)
    assert path.heights[-1] == pytest.approx(loss_of(net), rel=1e-4)
    assert path.heights[-1] < path.heights[0]


def test_all_paths_begin_at_one_place(seen):
    np.testing.assert_allclose(seen.paths[0].places[0], seen.paths[1].places[0], atol=1e-5)
    assert seen.paths[0].heights[0] == seen.paths[1].heights[0]


def test_three_points_are_on_their_plane_and_the_surface_meets_them():
    seen = quick(epochs=1).landscape(*IRIS, TWO)  # the start and two ends: a plane holds them
    assert seen.off == pytest.approx(0.0, abs=1e-6)
    from scipy.interpolate import RegularGridInterpolator

    between = RegularGridInterpolator((seen.along, seen.across), seen.heights)
    for path in seen.paths:
        # Between the points of the grid J is nearly straight: a fiftieth of the paths' extent.
        found = between(path.places[:, ::-1])
        np.testing.assert_allclose(found, path.heights, rtol=0.01)


def test_the_grid_holds_every_path(seen):
    assert seen.heights.shape == (POINTS, POINTS)
    every = np.concatenate([path.places for path in seen.paths])
    for axis, ticks in enumerate((seen.across, seen.along)):
        assert ticks[0] < every[:, axis].min() <= every[:, axis].max() < ticks[-1]


def test_what_is_off_the_plane_is_what_two_components_leave():
    rng = np.random.default_rng(0)
    points = rng.standard_normal((9, 40))
    points -= points.mean(axis=0)
    spectrum = np.linalg.svd(points, compute_uv=False) ** 2
    wanted = spectrum[2:].sum() / spectrum.sum()
    assert share_left_out(points, principal_directions(points)) == pytest.approx(wanted, rel=1e-4)


def test_a_path_that_diverges_ends_where_it_was_lost():
    ways = {"far": {"optimizer": "sgd", "learning_rate": 1e30}, "near": {}}
    far, near = quick().landscape(*IRIS, ways).paths
    assert far.diverged
    assert not near.diverged
    assert len(far.places) < len(near.places)
    assert np.isfinite(far.heights).all()


def test_scaling_is_that_of_the_fit(seen):
    # The start: J of the initial weights on normalized rows, by hand.
    from cuesta.core.init import init_layers

    x = fit_scaling(IRIS[0], "standard").apply(IRIS[0])
    (w, b), (v, c) = init_layers([0, 0, 0], (4, 5, 3), "he")
    out = np.maximum(x @ w + b, 0) @ v + c
    logs = out - np.log(np.exp(out).sum(axis=1, keepdims=True))
    assert seen.paths[0].heights[0] == pytest.approx(
        -logs[np.arange(150), IRIS[1]].mean(), rel=1e-5
    )


def test_the_command_writes_a_page_and_says_what_is_off_the_plane(tmp_path):
    page = tmp_path / "page.html"
    done = CliRunner().invoke(
        app, ["surface", "iris", "--hidden", "4", "--epochs", "3", "--optimizers", "sgd,clipped",
              "--out", str(page)],
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "sgd, clipped" in done.output
    assert "is off the plane" in done.output
    assert page.stat().st_size > 1_000_000


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--optimizers", "adm"], "adm"),
        (["--hidden", "x"], "hidden"),
        (["--epochs", "0"], "epochs"),
    ],
)
def test_a_bad_argument_is_named(arguments, words):
    done = CliRunner().invoke(app, ["surface", "iris", *arguments])
    assert done.exit_code == 2
    assert words in done.output


def test_digits_are_larger_than_the_limit_of_rows():
    x, y = load_digits(return_X_y=True)
    seen = quick(epochs=1).landscape(
        np.vstack([x, x]), np.hstack([y, y]), {"adam": {}, "b": TWO["b"]}
    )
    assert seen.rows == 2000
