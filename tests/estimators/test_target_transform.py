"""Estimators, files and committees whose networks learn transformed targets, or clamp."""

import numpy as np
import pytest

import cuesta
from cuesta import MLPClassifier, MLPRegressor
from cuesta.errors import SpecError
from cuesta.model import Calibration, FittedModel, FoldResiduals, Member

TRANSFORMS = ["log", "quantile"]
RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 3))
PRICES = np.exp(12 + X[:, 0] + 0.3 * X[:, 1] ** 2)


def quick(**changes):
    how = {"hidden_layer_sizes": (8,), "epochs": 8, "random_state": 0, "learning_rate": 0.02}
    return MLPRegressor(**{**how, **changes})


@pytest.mark.parametrize("clamp", [False, True])
@pytest.mark.parametrize("transform", TRANSFORMS)
def test_a_loaded_network_predicts_the_same_bits(transform, clamp, tmp_path):
    net = quick(target_transform=transform, clamp=clamp, dropout=0.1).fit(X, PRICES)
    net.save(tmp_path / "net.safetensors")
    again = cuesta.load(tmp_path / "net.safetensors")
    far = np.concatenate([X, 50 * X])
    np.testing.assert_array_equal(net.predict(far), again.predict(far))
    one, other = net.model_.outputs, again.model_.outputs
    assert (one.low is None, other.low is None) == (not clamp, not clamp)
    again.partial_fit(X[:40], PRICES[:40])  # its training goes on, in the same scale
    np.testing.assert_array_equal(again.model_.outputs.knots, one.knots)


@pytest.mark.parametrize("transform", ["none", *TRANSFORMS])
def test_predictions_are_held_far_from_what_trained_and_in_every_draw(transform):
    free, held = (
        quick(target_transform=transform, clamp=clamp, dropout=0.3).fit(X, PRICES)
        for clamp in (False, True)
    )
    far = 100 * X
    ends = PRICES.min(), PRICES.max()
    np.testing.assert_allclose(held.predict(far), np.clip(free.predict(far), *ends), rtol=1e-12)
    assert free.predict(far).max() > ends[1]
    mean, deviation = held.model_.sample(far, 20, 0)
    assert ends[0] <= mean.min() < mean.max() <= ends[1]
    # What numbers within these ends can have, but for a rounding.
    assert deviation.max() <= (1 + 1e-12) * (ends[1] - ends[0]) / 2


@pytest.mark.parametrize("transform", ["none", "log"])
def test_going_on_widens_the_bounds_by_the_rows_that_come(transform):
    net = quick(target_transform=transform, clamp=True)
    low = np.median(PRICES) > PRICES
    net.partial_fit(X[low], PRICES[low])
    net.partial_fit(X[~low], PRICES[~low])
    outputs = net.model_.outputs
    assert (outputs.low[0], outputs.high[0]) == (PRICES.min(), PRICES.max())


@pytest.mark.parametrize("transform", ["none", *TRANSFORMS])
def test_early_stopping_tells_the_error_in_the_targets_own_units(transform):
    train, held_out = np.arange(90), np.arange(90, 120)
    net = quick(target_transform=transform, early_stopping=True, n_iter_no_change=3, epochs=12)
    net.fit(X[train], PRICES[train], X_val=X[held_out], y_val=PRICES[held_out])
    errors = net.predict(X[held_out]) - PRICES[held_out]
    told = net.history_["validation_rmse"][net.best_epoch_ - 1]
    # The compiled pass is in float32.
    assert told == pytest.approx(np.sqrt((errors**2).mean()), rel=1e-5)
    assert told == min(net.history_["validation_rmse"])


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_intervals_of_networks_with_other_transforms_are_in_own_units(transform):
    """CV+ takes |y − ŷ| of each fold's own networks: here of two folds, one transformed."""
    halves = np.arange(120) % 2
    nets, residuals = [], []
    for fold, kind in enumerate(("none", transform)):
        net = quick(target_transform=kind, epochs=30).fit(X[halves != fold], PRICES[halves != fold])
        errors = np.abs(net.predict(X[halves == fold]) - PRICES[halves == fold])
        nets.append(Member(net.model_.network, 0.5, fold, 1.0))
        residuals.append(FoldResiduals(fold, 60, np.sort(errors)[:, None]))
    one = net.model_
    model = FittedModel(one.encoder, one.target, tuple(nets), Calibration(residuals=(*residuals,)))
    rng = np.random.default_rng(1)
    x = rng.normal(size=(400, 3))
    y = np.exp(12 + x[:, 0] + 0.3 * x[:, 1] ** 2)
    lower, upper = model.interval(x, 0.8)
    # Of 400 rows: .8 less three standard errors (.02 of these rows, .037 of the 120 residuals).
    assert ((lower[:, 0] <= y) & (y <= upper[:, 0])).mean() > 0.8 - 3 * 0.042
    np.testing.assert_allclose(
        model.decide(x), np.mean([m.network.decide(x, "regression") for m in nets], axis=0)
    )


def test_a_transform_lasts_and_is_for_numbers_alone():
    net = quick(target_transform="log").partial_fit(X, PRICES)
    with pytest.raises(SpecError, match="target_transform='log'"):
        net.set_params(target_transform="none").partial_fit(X, PRICES)
    assert "target_transform" not in MLPClassifier().get_params()


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_new_rows_leave_the_scale_that_was_learned(transform):
    net = quick(target_transform=transform, learning_rate=1e-30)
    net.partial_fit(X[:20], PRICES[:20])
    before = net.predict(X)
    net.partial_fit(X[20:], 10 * PRICES[20:])
    # The inputs' normalization moves, and the first layer with it, in float32.
    np.testing.assert_allclose(net.predict(X), before, rtol=1e-4)


@pytest.mark.slow("compiles the instruments")
def test_the_doctor_sees_what_the_loss_sees():
    net = quick(target_transform="log", clamp=True)
    evidence = net.diagnose(X, PRICES).evidence
    # Mean 0 and deviation 1: the mean's own loss is ½.
    assert evidence.target_size == pytest.approx(1, abs=1e-9)
    assert evidence.baseline == pytest.approx(0.5, abs=1e-9)
