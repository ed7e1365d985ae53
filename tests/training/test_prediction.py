"""What NumPy predicts in float64 is what JAX computed in float32, whatever a network is made of."""

import jax.numpy as jnp
import numpy as np
import pytest

from cuesta.core.activation import activation
from cuesta.core.layer import Layer
from cuesta.core.net import forward
from cuesta.hyperparameters import ACTIVATIONS, NORMALIZATIONS, NUMERIC_EMBEDDINGS
from cuesta.model.activation import softmax
from cuesta.model.network import Network
from cuesta.training.lanes import first_layers
from tests.training.tables import base, category_feed, chunk_of, class_feed, value_feed

FOLD = 1
FEED = class_feed()
INGREDIENTS = [
    *[{"activation": name} for name in ACTIVATIONS],
    *[{"normalize": name} for name in NORMALIZATIONS[1:]],
    *[{"numeric_embedding": name} for name in NUMERIC_EMBEDDINGS[1:]],
    {"numeric_embedding": "pbld", "normalize": "quantile", "embedding_sigma": 1.0},
    {"input_scale": True},
    {"architecture": "resnet", "hidden_layer_sizes": (8, 8, 8)},
]


def moved(layers):
    """Weights as after some training: none at a value, such as 0 or 1, that hides another."""
    rng = np.random.default_rng(7)

    def near(leaf):
        return (leaf + 0.1 * rng.standard_normal(leaf.shape)).astype(np.float32)

    return [Layer(near(np.asarray(w)), near(np.asarray(b))) for w, b in layers]


def sums_of_both(feed, how):
    """The last layer's sums by JAX, on the fold's training rows, and what NumPy predicts."""
    candidate = base(**how)
    chunk = chunk_of(feed, [candidate], fold=FOLD)
    front = chunk.shape.front
    layers = moved(first_layers(chunk.lanes[0], chunk.shape, feed))
    rows = feed.folds[FOLD].train
    sums = forward(
        [Layer(*map(jnp.asarray, layer)) for layer in layers],
        feed.arrays(FOLD, candidate.normalize, front).x[rows],
        activation(candidate.activation),
        front=front,
        residual=chunk.shape.residual,
    )
    inputs, outputs = feed.scalings_of(FOLD, candidate)
    network = Network(candidate, inputs, outputs, tuple(map(tuple, layers)), feed.layout)
    task = "classification" if feed.classes else "regression"
    return np.asarray(sums, float), network.decide(feed._x[rows], task), outputs


@pytest.mark.parametrize("how", INGREDIENTS, ids=lambda how: "-".join(map(str, how.values())))
def test_prediction_is_that_of_training(how):
    sums, found, _ = sums_of_both(FEED, how)
    # The roundings of float32: inputs of about 3 and sums of some ten terms, half a dozen in a row.
    np.testing.assert_allclose(found, softmax(sums), rtol=0, atol=1e-5)


def test_a_category_that_is_embedded_is_predicted_as_it_was_trained():
    sums, found, _ = sums_of_both(category_feed(), {"category_embedding": "learned"})
    np.testing.assert_allclose(found, softmax(sums), rtol=0, atol=1e-5)


@pytest.mark.parametrize("embedding", ["none", "pbld"])
def test_numbers_are_predicted_in_their_own_units(embedding):
    sums, found, outputs = sums_of_both(value_feed(), {"numeric_embedding": embedding})
    np.testing.assert_allclose((found - outputs.shift) / outputs.scale, sums, rtol=0, atol=1e-5)
