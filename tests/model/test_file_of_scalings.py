"""Scalings along knots and with a smooth clip in a model's file: they come back, or are refused."""

import json
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from cuesta._util.model_file import checksum
from cuesta.data.knots import LARGEST_KNOTS
from cuesta.data.scale import Scaling, fit_input_scaling, fit_scaling
from cuesta.errors import ModelFileError
from cuesta.model import load_model
from tests.model.models import VALUES, committee, drawn, rows
from tests.model.test_file_of_members import described

WIDTH = len(drawn().inputs.shift)


def fitted(method, seed=0):
    """A scaling of rows with a number, a code for missing ones, and marks."""
    x = np.random.default_rng(seed).standard_normal((300, WIDTH))
    x[:, 1:] = x[:, 1:] > 0
    x[::50, 0] = -9999
    return fit_input_scaling(x, method)


def with_inputs(model, scalings):
    """The model with these scalings of inputs, one after the other."""
    members = tuple(
        replace(m, network=replace(m.network, inputs=scaling))
        for m, scaling in zip(model.members, scalings, strict=True)
    )
    return replace(model, members=members)


def of_method(method):
    candidate = replace(drawn().candidate, normalize=method)
    model = with_inputs(drawn(), [fitted(method)])
    (member,) = model.members
    return replace(
        model, members=(replace(member, network=replace(member.network, candidate=candidate)),)
    )


MODELS = {
    "quantile": of_method("quantile"),
    "robust": of_method("robust"),
    "a committee": with_inputs(
        committee(), [fitted(m) for m in ("quantile", "robust", "quantile") for _ in range(2)]
    ),
}
COUNT = fitted("quantile").knots.shape[1]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


@pytest.mark.parametrize("name", MODELS)
def test_a_model_comes_back_bit_by_bit(name, path):
    model, x = MODELS[name], rows(50)
    x[::7, 0] = -9999
    model.save(path)
    found = load_model(path)
    assert found.decide(x).tobytes() == model.decide(x).tobytes()
    first = path.read_bytes()
    found.save(path)
    assert path.read_bytes() == first


def test_marks_have_no_knots_in_the_file(path):
    MODELS["quantile"].save(path)
    arrays = load_file(path)
    assert arrays["inputs.mapped"].tolist() == [True] + [False] * (WIDTH - 1)
    assert arrays["inputs.knots"].shape == arrays["inputs.places"].shape == (1, COUNT)


def test_members_with_the_same_knots_share_them_and_others_do_not(path):
    scalings = [fitted("quantile", seed) for seed in (0, 0, 1, 1)]
    # Alike but for one place.
    scalings += [replace(scalings[3], places=scalings[3].places * 1.5) for _ in range(2)]
    with_inputs(committee(), scalings).save(path)
    assert sum(name.endswith(".knots") for name in load_file(path)) == 3
    networks = [member.network for member in load_model(path).members]
    assert networks[0].inputs is networks[1].inputs
    assert networks[3].inputs is not networks[4].inputs


def test_values_learned_along_knots_come_back(path):
    y = np.random.default_rng(0).exponential(size=(80, 2))
    model = drawn(VALUES)
    (member,) = model.members
    network = replace(member.network, outputs=fit_scaling(y, "quantile"))
    model = replace(model, members=(replace(member, network=network),))
    model.save(path)
    assert load_model(path).decide(rows(20)).tobytes() == model.decide(rows(20)).tobytes()


@pytest.mark.parametrize("method", ["standard", "minmax", "none"])
def test_a_scaling_without_them_has_no_arrays_of_theirs(method, path):
    with_inputs(drawn(), [fitted(method)]).save(path)
    assert not [name for name in load_file(path) if name.split(".")[1] in NAMES]


NAMES = {"mapped", "knots", "places", "smooth"}


# --- forged -----------------------------------------------------------------------------------


def forge(path, model, **tensors):
    """Save a model with other tensors and a right checksum."""
    model.save(path)
    arrays = {n: a for n, a in (load_file(path) | tensors).items() if a is not None}
    about = path.read_bytes()
    text = about[8 : 8 + int.from_bytes(about[:8], "little")]
    description = json.loads(text)["__metadata__"]["cuesta"]
    save_file(arrays, path, {"cuesta": description, "sha256": checksum(arrays, description)})


ONE = np.linspace(-1, 1, COUNT)[None]
SWAPPED = ONE[:, ::-1].copy()
MAPPED = np.array([True] + [False] * (WIDTH - 1))


def test_a_forged_file_without_a_fault_is_read(path):
    forge(path, MODELS["quantile"], **{"inputs.knots": ONE, "inputs.places": ONE})
    found = load_model(path).inputs
    assert isinstance(found, Scaling)
    assert found.apply(np.full((1, WIDTH), 0.5))[0, 0] == pytest.approx(0.5, abs=1e-15)
    assert described(path)["format"] == 1


@pytest.mark.parametrize(
    "tensors",
    [
        {"inputs.mapped": None},
        {"inputs.knots": None},
        {"inputs.places": None},
        {"inputs.mapped": ~MAPPED},
        {"inputs.mapped": MAPPED[1:].copy()},
        {"inputs.mapped": MAPPED.astype(float)},
        {"inputs.mapped": np.zeros(WIDTH, bool)},
        {"inputs.knots": SWAPPED},
        {"inputs.places": SWAPPED},
        {"inputs.knots": np.zeros((1, COUNT))},
        {"inputs.knots": ONE[0]},
        {"inputs.knots": ONE[:, 1:].copy()},
        {"inputs.knots": np.repeat(ONE, 2, axis=0)},
        {"inputs.knots": np.where(ONE > 0.99, np.inf, ONE)},
        {"inputs.places": np.where(ONE > 0.99, np.nan, ONE)},
        {"inputs.knots": np.arange(COUNT)[None]},
        {"inputs.knots": np.ones((1, 1)), "inputs.places": np.ones((1, 1))},
        {"inputs.knots": np.ones((1, 0)), "inputs.places": np.ones((1, 0))},
        {"inputs.knots": np.array(1.0)},
        {name: np.arange(LARGEST_KNOTS + 1.0)[None] for name in ("inputs.knots", "inputs.places")},
        {"inputs.smooth": np.ones(WIDTH)},
        {"inputs.smooth": np.ones(WIDTH + 1, bool)},
        {"inputs.smooth": np.ones((WIDTH, 1), bool)},
    ],
    ids=lambda tensors: " ".join(f"{n} {getattr(a, 'shape', '')}" for n, a in tensors.items()),
)
def test_arrays_that_are_no_map_are_refused(tensors, path):
    forge(path, MODELS["quantile"], **tensors)
    with pytest.raises(ModelFileError, match="does not describe a model"):
        load_model(path)
