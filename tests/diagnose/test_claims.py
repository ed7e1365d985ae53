"""What the notes claim, as measured facts on real tables (the figures stand in docs/notes.md)."""

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits

from cuesta import MLPClassifier, MLPRegressor
from cuesta.errors import DivergedError

pytestmark = pytest.mark.slow("trains deep networks")

CANCER = load_breast_cancer(return_X_y=True)
DIGITS = load_digits(return_X_y=True)
DIABETES = load_diabetes(return_X_y=True)
RATES = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0]


def losses_at_best_rate(normalize, epochs=100):
    """Each epoch's loss with the learning rate that ends lowest, plain SGD."""
    found = []
    for rate in RATES:
        net = MLPClassifier((16,), optimizer="sgd", learning_rate=rate, normalize=normalize,
                            epochs=epochs, random_state=0)  # fmt: skip
        try:
            found.append(net.fit(*CANCER).history_["loss"])
        except DivergedError:
            continue
    return min(found, key=lambda losses: losses[-1])


def test_unnormalized_inputs_slow_training():
    # N3: as they are, breast_cancer's columns differ by four orders of magnitude.
    normalized, raw = (losses_at_best_rate(how) for how in ("standard", "none"))
    reached = int(np.argmax(np.array(normalized) <= raw[-1])) + 1
    assert normalized[-1] < 0.2 * raw[-1]
    assert reached <= 10  # epochs for what the raw inputs need a hundred for, each at its best rate
    print(f"normalized: {raw[-1]:.3f} after {reached} epochs, {normalized[-1]:.4f} after 100")


def test_unnormalized_outputs_explode():
    # N3: ∂L/∂w is proportional to the residual; diabetes' targets are about 150.
    x, y = DIABETES
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    how = {"optimizer": "sgd", "learning_rate": 0.05, "epochs": 20, "random_state": 0}
    with pytest.raises(DivergedError, match=r"step \d+"):
        MLPRegressor((16,), normalize="none", **how).fit(x, y)
    assert MLPRegressor((16,), **how).fit(x, y).score(x, y) > 0.5


def deep(activation, init, **changes):
    how = {"optimizer": "sgd", "learning_rate": 0.05, "epochs": 20, "random_state": 0, **changes}
    return MLPClassifier((32,) * 8, activation=activation, init=init, **how)


def test_depth_with_sigmoids_does_not_learn_and_with_relu_does():
    # N4: a product of factors, one a layer.
    sigmoid, relu = (deep(*how) for how in (("sigmoid", "uniform"), ("relu", "he")))
    ends = [net.fit(*DIGITS).history_["loss"][-1] for net in (sigmoid, relu)]
    baseline = np.log(10)
    assert ends[0] > 0.95 * baseline
    assert ends[1] < 0.05 * baseline
    passed = [
        net.diagnose(*DIGITS).evidence.recording.economy.shrink[0].prod() for net in (sigmoid, relu)
    ]
    assert passed[0] < 1e-5
    assert passed[1] > 1e-1
    print(f"losses {ends[0]:.3f}, {ends[1]:.4f}; error passed on {passed[0]:.1e}, {passed[1]:.2f}")


def test_the_clipped_run_survives_where_the_unclipped_is_lost():
    # N5, on the run that unnormalized outputs explode.
    x, y = DIABETES
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    how = {"optimizer": "sgd", "learning_rate": 0.05, "epochs": 60, "random_state": 0,
           "normalize": "none"}  # fmt: skip
    with pytest.raises(DivergedError):
        MLPRegressor((16,), **how).fit(x, y)
    clipped = MLPRegressor((16,), clip_norm=1.0, **how).fit(x, y)
    assert clipped.score(x, y) > 0.4
    print(f"clipped: R² {clipped.score(x, y):.2f}")
