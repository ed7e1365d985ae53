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
from tests.training.tables import base, chunk_of, class_feed

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


@pytest.mark.parametrize("how", INGREDIENTS, ids=lambda how: "-".join(map(str, how.values())))
def test_prediction_is_that_of_training(how):
    candidate = base(**how)
    chunk = chunk_of(FEED, [candidate], fold=FOLD)
    front = chunk.shape.front
    layers = moved(first_layers(chunk.lanes[0], chunk.shape, FEED))
    arrays = FEED.arrays(FOLD, candidate.normalize, front)
    rows = FEED.folds[FOLD].train
    sums = forward(
        [Layer(*map(jnp.asarray, layer)) for layer in layers],
        arrays.x[rows],
        activation(candidate.activation),
        front=front,
        residual=chunk.shape.residual,
    )
    inputs, outputs = FEED.scalings_of(FOLD, candidate)
    network = Network(candidate, inputs, outputs, tuple(map(tuple, layers)), FEED.layout)
    found = network.decide(FEED._x[rows], "classification")
    # The roundings of float32: inputs of about 3 and sums of some ten terms, half a dozen in a row.
    np.testing.assert_allclose(found, softmax(np.asarray(sums, float)), rtol=0, atol=1e-5)
