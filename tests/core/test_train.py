"""A whole training run against a slow, obvious loop in float64 NumPy."""

import numpy as np
import pytest

from cuesta.core.init import init_layers
from cuesta.model import softmax
from tests.training.tables import EPOCHS, base, class_feed, train, value_feed

# float32 against float64 over some twenty steps of well-behaved training: single roundings of
# 6e-8, a few hundred to a sum, not amplified by a smooth loss; Adam's division by a small √F̂ of
# noise-like gradients is the largest part.
FLOAT32 = 2e-4


def forward(layers, x, name):
    act = {"tanh": np.tanh, "relu": lambda z: np.maximum(z, 0)}[name]
    units = [x]
    for depth, (w, b) in enumerate(layers):
        z = units[-1] @ w + b
        units.append(z if depth == len(layers) - 1 else act(z))
    return units


def slope(name, unit):
    return 1 - unit**2 if name == "tanh" else (unit > 0).astype(float)


def gradients(layers, x, y, name, classes):
    """Backpropagation as a textbook writes it, and the batch's loss."""
    units = forward(layers, x, name)
    out = units[-1]
    if classes:
        shares = softmax(out)
        loss = -np.log(shares[np.arange(len(y)), y]).mean()
        error = shares.copy()
        error[np.arange(len(y)), y] -= 1
    else:
        loss, error = 0.5 * ((out - y) ** 2).sum(axis=1).mean(), out - y
    error /= len(x)
    found = []
    for depth in reversed(range(len(layers))):
        found.append((units[depth].T @ error, error.sum(axis=0)))
        if depth:
            error = (error @ layers[depth][0].T) * slope(name, units[depth])
    return found[::-1], loss


def clipped(grads, by_norm, by_value):
    norm = np.sqrt(sum((g**2).sum() for pair in grads for g in pair))
    factor = min(1.0, by_norm / norm)
    return [tuple(np.clip(g * factor, -by_value, by_value) for g in pair) for pair in grads]


class Adam:
    def __init__(self, layers):
        self.v = [[0 * p for p in pair] for pair in layers]
        self.f = [[0 * p for p in pair] for pair in layers]

    def step(self, layers, grads, alpha, k):
        for i, pair in enumerate(grads):
            for j, g in enumerate(pair):
                self.v[i][j] = 0.9 * self.v[i][j] + 0.1 * g
                self.f[i][j] = 0.999 * self.f[i][j] + 0.001 * g * g
                v, f = self.v[i][j] / (1 - 0.9**k), self.f[i][j] / (1 - 0.999**k)
                layers[i][j] -= alpha * v / (np.sqrt(f) + 1e-8)


class Sgd:
    def __init__(self, layers):
        pass

    def step(self, layers, grads, alpha, k):
        for i, pair in enumerate(grads):
            for j, g in enumerate(pair):
                layers[i][j] -= alpha * g


def oracle(feed, candidate, fold, epochs):
    """Weights, training losses and validation losses, epoch by epoch."""
    arrays = feed.arrays(fold, "standard")
    x, y = np.asarray(arrays.x, np.float64), np.asarray(arrays.y)
    y = y if feed.classes else y.astype(np.float64)
    outputs = 3 if feed.classes else 1
    drawn = init_layers([0, 0, fold], (5, *candidate.hidden_layer_sizes, outputs), candidate.init)
    layers = [[np.array(leaf, np.float64) for leaf in layer] for layer in drawn]
    rule = {"adam": Adam, "sgd": Sgd}[candidate.optimizer](layers)
    average = [[leaf.copy() for leaf in layer] for layer in layers]
    by_norm = candidate.clip_norm or np.inf
    by_value = candidate.clip_value or np.inf
    data = feed.span_data(fold, "standard", 0, 0, epochs)
    rows, size = int(data.n_train), candidate.batch_size
    steps = -(-rows // size)
    k, curve = 0, []
    for epoch in range(epochs):
        order, losses = data.order[epoch][:rows], []
        for start in range(0, rows, size):
            batch = order[start : start + size]
            grads, loss = gradients(layers, x[batch], y[batch], candidate.activation, feed.classes)
            alpha = rate_by_hand(candidate, k, epochs * steps)
            for pair in layers:
                pair[0] *= 1 - alpha * candidate.weight_decay
            k += 1
            rule.step(layers, clipped(grads, by_norm, by_value), alpha, k)
            decay = min(candidate.weight_average, k / (9 + k))
            for mean, pair in zip(average, layers, strict=True):
                mean[:] = [decay * m + (1 - decay) * w for m, w in zip(mean, pair, strict=True)]
            losses.append(loss * len(batch))
        held = feed.folds[fold].validation
        _, validation = gradients(average, x[held], y[held], candidate.activation, feed.classes)
        curve.append((sum(losses) / rows, validation if feed.classes else 2 * validation))
    return average, np.array(curve)


def rate_by_hand(candidate, k, total):
    """The learning rate of step k of so many, schedule by schedule."""
    t, high, low = k / total, candidate.learning_rate, candidate.final_learning_rate or 0.0
    if candidate.schedule == "linear":
        rate = (1 - t) * high + t * (low or high)
    elif candidate.schedule == "cosine":
        rate = low + (high - low) * (1 + np.cos(np.pi * t)) / 2
    elif candidate.schedule == "coslog4":
        rate = low + (high - low) * (1 - np.cos(2 * np.pi * np.log2(1 + 15 * t))) / 2
    elif t < 0.3:
        rate = high / 25 + (high - high / 25) * (1 - np.cos(np.pi * t / 0.3)) / 2
    else:
        rate = low + (high - low) * (1 + np.cos(np.pi * (t - 0.3) / 0.7)) / 2
    warm = candidate.warmup * total
    return rate * min(1, (k + 1) / warm) if warm else rate


CASES = {
    "plain sgd": base(optimizer="sgd", activation="tanh", learning_rate=0.1),
    "adam with relu": base(optimizer="adam", activation="relu"),
    "linear decay": base(
        optimizer="sgd", activation="tanh", learning_rate=0.2, final_learning_rate=1e-3
    ),
    "cosine with warm-up": base(
        optimizer="sgd", activation="tanh", learning_rate=0.2, schedule="cosine", warmup=0.4
    ),
    "one cycle and an average": base(
        optimizer="sgd",
        activation="tanh",
        learning_rate=0.2,
        final_learning_rate=1e-3,
        schedule="one_cycle",
        weight_average=0.8,
    ),
    "four waves and a long average": base(
        activation="tanh", schedule="coslog4", weight_average=0.99, weight_decay=0.3
    ),
    "clipping by norm": base(optimizer="sgd", activation="tanh", learning_rate=0.2, clip_norm=0.2),
    "clipping by value": base(
        optimizer="sgd", activation="tanh", learning_rate=0.2, clip_value=0.02
    ),
    "weight decay": base(optimizer="sgd", activation="tanh", learning_rate=0.1, weight_decay=0.3),
    "one batch larger than the table": base(optimizer="sgd", activation="tanh", batch_size=256),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("make", [class_feed, value_feed])
def test_training_equals_the_loop_written_by_hand(case, make):
    feed, candidate = make(), CASES[case]
    found = train(feed, [candidate], fold=2)
    layers, curve = oracle(feed, candidate, 2, EPOCHS)
    np.testing.assert_allclose(found.curves[0][:, :2], curve, rtol=FLOAT32)
    for mine, theirs in zip(found.layers[0], layers, strict=True):
        for a, b in zip(mine, theirs, strict=True):
            np.testing.assert_allclose(a, b, atol=FLOAT32)


def test_a_short_last_batch_is_weighted_by_its_rows():
    # 82 training rows in batches of 16 leave a batch of 2; the oracle above would not agree to
    # 2e-4 if those two rows were averaged over 16. This says by how much.
    feed, candidate = value_feed(), CASES["plain sgd"]
    rows = int(feed.span_data(2, "standard", 0, 0, 1).n_train)
    assert rows % candidate.batch_size not in (0, candidate.batch_size)
    per_row = train(feed, [candidate], fold=2, epochs=1).curves[0, 0, 0]
    _, curve = oracle(feed, candidate, 2, 1)
    assert per_row == pytest.approx(curve[0, 0], rel=FLOAT32)
