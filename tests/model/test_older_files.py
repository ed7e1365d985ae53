"""Model files of earlier versions predict as they did."""

from pathlib import Path

import numpy as np
import polars as pl
from scipy import special

from cuesta.model import load_model

FILES = Path(__file__).parent / "files"
FRAME = pl.DataFrame(
    {
        "kind": ["a", "c", None, None, "b"],
        "size": [1.0, None, -3.0, None, 5000.0],  # the last one lies far: taken for missing
        "new": [True, False, True, None, False],
    }
)


def test_numbers_are_those_of_the_version_that_wrote_the_file():
    # All weights and scales are eighths, so that each sum is exact on any machine.
    found = load_model(FILES / "values.safetensors").predict(FRAME).to_dict(as_series=False)
    assert found == {
        "u": [-7.041015625, 3.81640625, -22.15234375, 0.5, 6.189453125],
        "v": [1.43994140625, 0.2939453125, 4.44677734375, -2.0, -0.1162109375],
    }


def test_shares_are_those_of_the_version_that_wrote_the_file():
    model = load_model(FILES / "classes.safetensors")
    x = model.encoder.encode(FRAME)
    (w0, b0), (w1, b1) = ((w.astype(np.float64), b) for w, b in model.layers)
    sums = np.tanh(model.inputs.inputs(x) @ w0 + b0) @ w1 + b1
    shifted = np.exp(sums - sums.max(axis=1, keepdims=True))
    expected = shifted / shifted.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(expected, special.softmax(sums, axis=1), rtol=1e-14)
    expected[3] = 0.5, 0.25, 0.25  # nothing is known of this row
    np.testing.assert_array_equal(model.decide(x), expected)
    told = [0.363694146859715, 0.027138368858120186, 0.017638618488306577, 0.5, 0.781862862087793]
    # Another machine's exp and tanh may round otherwise.
    np.testing.assert_allclose(model.decide(x)[:, 0], told, rtol=1e-13)
    assert model.predict(FRAME)["y"].to_list() == ["yes", "yes", "yes", "no", "no"]
    assert dict(model.estimator) == {"name": "nobody"}
