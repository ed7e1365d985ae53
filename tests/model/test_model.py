"""A fitted model of one network: its forward pass and its file."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file
from scipy import special

from cuesta._util import model_file
from cuesta._util.model_file import FORMAT, checksum
from cuesta.data.encode import Encoder, Target
from cuesta.errors import ModelFileError, TableError
from cuesta.hyperparameters import ACTIVATIONS
from cuesta.model import activate, file, load_model, network, softmax
from tests.model.models import CLASSES, FEATURES, FRAME, VALUES, drawn, rows

MODELS = {
    "classes": drawn(),
    "values": drawn(VALUES),
    "no hidden layer": drawn(hidden=()),
    "whole labels": drawn(Target("classification", ("y",), (0, 1, 7))),
    "decimal labels": drawn(Target("classification", ("y",), (0.1, 1.5))),
    "boolean labels": drawn(Target("classification", ("y",), (False, True))),
    "other candidate": drawn(activation="tanh", learning_rate=0.1, clip_norm=1.0, dropout=0.25),
}
ELU = lambda z: np.expm1(np.minimum(z, 0))  # noqa: E731
EVERY_MODEL = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)


# --- prediction -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "formula"),
    [
        ("relu", lambda z: np.where(z > 0, z, 0)),
        ("tanh", np.tanh),
        ("sigmoid", special.expit),
        ("identity", lambda z: z),
        ("leaky_relu", lambda z: np.where(z > 0, z, z / 100)),
        ("silu", lambda z: z * special.expit(z)),
        ("gelu", lambda z: z * special.expit(np.sqrt(8 / np.pi) * (z + 0.044715 * z**3))),
        ("mish", lambda z: z * np.tanh(special.softplus(z))),
        ("selu", lambda z: 1.0507009873554805 * np.where(z > 0, z, 1.6732632423543772 * ELU(z))),
    ],
)
def test_an_activation_is_its_formula(name, formula):
    z = np.array([-1e4, -30.0, -1.0, -0.0, 0.0, 1e-8, 2.0, 30.0, 1e4])
    # Written through tanh, the sigmoid is a rounding apart, z times it thirty where z is −30.
    np.testing.assert_allclose(activate(name, z), formula(z), rtol=1e-15, atol=4e-15)


def test_every_activation_has_its_formula_tested():
    tested = test_an_activation_is_its_formula.pytestmark[0].args[1]
    assert {name for name, _ in tested} == set(ACTIVATIONS)


@given(st.lists(st.floats(-1e4, 1e4), min_size=2, max_size=6), st.floats(-1e4, 1e4))
def test_softmax_gives_shares_that_a_common_shift_does_not_change(outputs, shift):
    z = np.array([outputs])
    shares = softmax(z)
    assert shares.min() >= 0
    # A sum of six shares; a shift of 1e4 rounds its outputs by 1e-12.
    assert shares.sum() == pytest.approx(1, abs=1e-15 * 8)
    np.testing.assert_allclose(softmax(z + shift), shares, rtol=0, atol=1e-11)
    np.testing.assert_allclose(shares, special.softmax(z, axis=1), rtol=0, atol=1e-15)


def forward(model, row):
    """The outputs of one encoded row, sum by sum."""
    shift, scale = model.inputs.shift, model.inputs.scale
    units = [
        0.0 if math.isnan(v) else (v - m) / s for v, m, s in zip(row, shift, scale, strict=True)
    ]
    for depth, (w, b) in enumerate(model.layers):
        columns = zip(w.T.astype(float), b.astype(float), strict=True)
        units = [math.fsum([bias, *np.multiply(units, column)]) for column, bias in columns]
        if depth < len(model.layers) - 1:
            units = list(activate(model.candidate.activation, np.array(units)))
    if model.outputs is None:
        return special.softmax(units)
    return np.array(units) * model.outputs.scale + model.outputs.shift


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("target", [CLASSES, VALUES])
@pytest.mark.parametrize("hidden", [(), (6,), (5, 4)])
def test_the_forward_pass_is_scale_layers_and_back(activation, target, hidden):
    model, x = drawn(target, hidden, activation), rows(7)
    expected = np.array([forward(model, row) for row in x])
    # Float64 on both sides: sums of at most 7 terms of size 10 or so.
    np.testing.assert_allclose(model.decide(x), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("block", [1, 3, 4096])
@EVERY_MODEL
def test_a_prediction_does_not_depend_on_its_neighbours(model, block, monkeypatch):
    monkeypatch.setattr(network, "BLOCK", block)
    x = rows(50)
    together = model.decide(x)
    wild = np.concatenate([x[:25], np.full((10, x.shape[1]), 1e6)])
    apart = np.concatenate([model.decide(x[i : i + 1]) for i in range(50)])
    # What is promised: a matrix product may sum in another order, in float64.
    np.testing.assert_allclose(apart, together, rtol=0, atol=1e-9)
    np.testing.assert_allclose(model.decide(wild)[:25], together[:25], rtol=0, atol=1e-9)
    np.testing.assert_allclose(model.decide(x[::-1])[::-1], together, rtol=0, atol=1e-9)


@EVERY_MODEL
def test_no_rows_have_no_predictions(model):
    assert model.decide(rows(0)).shape == (0, model.target.outputs)


@EVERY_MODEL
def test_a_table_is_predicted_by_its_encoded_rows(model):
    decided = model.decide(model.encoder.encode(FRAME))
    found = model.predict(FRAME)
    if model.target.task == "regression":
        assert found.columns == list(model.target.names)
        np.testing.assert_array_equal(found.to_numpy(), decided)
        return
    labels = model.target.labels
    assert found.columns == ["y", *[f"p_{label}" for label in labels]]
    assert found["y"].to_list() == [labels[place] for place in decided.argmax(axis=1)]
    np.testing.assert_array_equal(found.drop("y").to_numpy(), decided)


# --- the file ---------------------------------------------------------------------------------


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


@EVERY_MODEL
def test_a_model_comes_back_from_its_file_bit_by_bit(model, path):
    model.save(path)
    found = load_model(path)
    assert (found.encoder, found.target, found.candidate) == (
        model.encoder,
        model.target,
        model.candidate,
    )
    labels = found.target.labels
    assert [type(label) for label in labels] == [type(label) for label in model.target.labels]
    assert tensors_of(found) == tensors_of(model)
    assert found.predict(FRAME).equals(model.predict(FRAME))


def tensors_of(model):
    """Every array's type, shape and bytes."""
    arrays = [*model.layers, (model.inputs.shift, model.inputs.scale)]
    if model.outputs is not None:
        arrays.append((model.outputs.shift, model.outputs.scale))
    return [(a.dtype.str, a.shape, a.tobytes()) for pair in arrays for a in pair]


def test_saving_leaves_one_file_and_replaces_an_older_one(path):
    for name in ("classes", "values"):
        MODELS[name].save(path)
        assert list(path.parent.iterdir()) == [path]
    assert load_model(path).target == VALUES


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "m.safetensors"
    drawn(hidden=(2,)).save(path)
    return path.read_bytes()


def test_a_file_cut_short_anywhere_is_a_fault(content, path):
    for length in range(0, len(content), 5):
        path.write_bytes(content[:length])
        with pytest.raises(ModelFileError, match=r"model\.safetensors"):
            load_model(path)


def test_a_file_with_more_at_its_end_is_a_fault(content, path):
    path.write_bytes(content + b"\0")
    with pytest.raises(ModelFileError, match=r"model\.safetensors"):
        load_model(path)


@pytest.mark.parametrize("start", range(8))
def test_one_altered_byte_anywhere_is_a_fault(content, path, start):
    for place in range(start, len(content), 8):
        altered = bytearray(content)
        altered[place] ^= 1 << (place // 8 + start) % 8
        path.write_bytes(altered)
        with pytest.raises(ModelFileError, match=r"model\.safetensors"):
            load_model(path)


@settings(max_examples=100)
@given(place=st.integers(min_value=0), mask=st.integers(1, 255))
def test_one_byte_altered_in_any_way_is_a_fault(content, tmp_path_factory, place, mask):
    altered = bytearray(content)
    altered[place % len(content)] ^= mask
    path = tmp_path_factory.getbasetemp() / "altered.safetensors"
    path.write_bytes(altered)
    with pytest.raises(ModelFileError, match=r"altered\.safetensors"):
        load_model(path)


@pytest.mark.parametrize("name", ["none.safetensors", "."])
def test_a_file_that_is_not_there_is_a_fault(tmp_path, name):
    with pytest.raises(ModelFileError, match="There is no model"):
        load_model(tmp_path / name)


@pytest.mark.parametrize(
    "content",
    [b"", b"a,b\n1,2\n", b"\xff" * 100, (2**63).to_bytes(8, "little") + b"{}"],
    ids=["empty", "table", "ones", "endless header"],
)
def test_a_file_of_another_kind_is_a_fault(content, path):
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match=r"model\.safetensors"):
        load_model(path)


@pytest.mark.parametrize("about", [None, {"format": "pt"}, {"cuesta": "{}"}, {"sha256": ""}])
def test_a_safetensors_file_of_another_program_is_a_fault(about, path):
    save_file({"weight": np.zeros((2, 3), np.float32)}, path, about)
    with pytest.raises(ModelFileError, match=r"model\.safetensors"):
        load_model(path)


@pytest.mark.parametrize("kind", ["BF16", "F8_E4M3", "F8_E5M2", "C64", "F4", "BOOL", "U64"])
def test_a_file_of_numbers_that_are_not_ours_is_a_fault(kind, path):
    size = {"BF16": 4, "C64": 16, "F4": 1, "U64": 16}.get(kind, 2)
    tensor = {"dtype": kind, "shape": [2], "data_offsets": [0, size]}
    header = json.dumps({"0.w": tensor}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(size))
    with pytest.raises(ModelFileError, match=r"model\.safetensors"):
        load_model(path)


# --- a file forged with a right checksum ------------------------------------------------------


def forge(path, model=MODELS["classes"], change=None, text=None, **tensors):
    """Save a model with a changed spec (by a path of keys), another text, or other tensors."""
    arrays = file._arrays(model) | tensors
    arrays = {name: array for name, array in arrays.items() if array is not None}
    spec = json.loads(json.dumps({"format": FORMAT, **file._describe(model)}))
    if change is not None:
        *keys, last, value = change
        place = spec
        for key in keys:
            place = place[key]
        place[last] = value
    text = json.dumps(spec) if text is None else text
    save_file(arrays, path, {"cuesta": text, "sha256": checksum(arrays, text)})


def test_a_forged_file_without_a_change_is_read(path):
    forge(path)
    assert tensors_of(load_model(path)) == tensors_of(MODELS["classes"])


@pytest.mark.parametrize(
    "change",
    [
        ("format", 2),
        ("format", "1"),
        ("format", None),
        ("features", None),
        ("features", []),
        ("features", 0, 3),
        ("features", 0, "colour", "red"),
        ("features", 0, "missing", "x"),
        ("features", 2, "categories", 3),
        ("features", 2, "categories", ["a"]),
        ("target", None),
        ("target", "labels", ["a", "b"]),
        ("target", "labels", 3),
        ("target", "names", None),
        ("target", "task", "regression"),
        ("target", "task", "forgery"),
        ("candidate", None),
        ("candidate", "lr", 0.1),
        ("candidate", "activation", "exp"),
        ("candidate", "activation", ["relu"]),
        ("candidate", "learning_rate", math.nan),
        ("candidate", "hidden_layer_sizes", None),
        ("candidate", "hidden_layer_sizes", [5]),
        ("candidate", "hidden_layer_sizes", [5, 4.0]),
        ("candidate", "hidden_layer_sizes", [5, -4]),
        ("candidate", "hidden_layer_sizes", [10**9]),
        ("candidate", "hidden_layer_sizes", [5, 4, 4]),
        ("candidate", "learning_rate", 10**400),
        ("features", 0, "kind", "forgery"),
        ("features", 0, "name", 5),
        ("features", 2, "categories", [1, 2]),
        ("target", "names", []),
        ("target", "names", [3]),
        ("target", "labels", ["a", "a", "b"]),
        ("target", "labels", ["a", 1, 2.5]),
        ("target", "labels", [None, None, None]),
        ("target", "labels", [[1], [2], [3]]),
        ("target", "labels", []),
        ("target", "labels", [0.5, math.inf, 2.0]),
        ("target", "labels", ["a", "b", "\ud800"]),
        ("target", "names", ["p_no"]),
        ("target", "names", "y"),
        ("features", {}),
        ("features", 0, "name", "kind"),
        ("features", 0, "name", "\ud800"),
        ("features", 0, "format", None),
        ("features", 2, "categories", "ab"),
        ("estimator", []),
        ("estimator", "x" * 10_000),
        ("candidate", "activation", "x" * 10_000),
    ],
    ids=lambda change: " ".join(map(str, change))[:50],
)
def test_a_spec_that_describes_no_model_is_a_fault(change, path):
    forge(path, change=change)
    with pytest.raises(ModelFileError, match="does not describe a model") as refused:
        load_model(path)
    assert len(str(refused.value)) < 400  # whatever stands in the file


def places(value, path=()):
    """The paths to all values in a description, of lists the first two."""
    if isinstance(value, dict | list):
        inside = value.items() if isinstance(value, dict) else enumerate(value[:2])
        for key, each in inside:
            yield (*path, key)
            yield from places(each, (*path, key))


STRANGE = [None, [], {}, 3, -1, math.inf, "x", "", True, [1], ["a"], [[]], 10**30, 0.5, "number"]


def test_whatever_stands_in_a_description_is_a_fault_or_a_model(path):
    model, refused = MODELS["classes"], 0
    description = {"format": FORMAT, **file._describe(model)}
    every = list(places(json.loads(json.dumps(description))))
    for place in every:
        for value in STRANGE:
            forge(path, change=(*place, value))
            try:
                assert load_model(path).predict(FRAME).height == FRAME.height
            except ModelFileError:
                refused += 1
            except TableError:  # of another kind of column than the table has
                pass
    assert refused > len(every) * len(STRANGE) / 2


def test_two_saves_of_one_model_are_the_same_bytes(path):
    contents = set()
    for _ in range(8):  # the library draws the order of a header anew each time
        MODELS["classes"].save(path)
        contents.add(path.read_bytes())
    assert len(contents) == 1


def test_a_file_far_larger_than_its_model_is_refused_before_its_arrays_are_read(path, monkeypatch):
    monkeypatch.setattr(model_file, "SPARE_BYTES", 10_000)
    forge(path, extra=np.zeros(1_000))
    assert load_model(path).target == CLASSES
    forge(path, extra=np.zeros(100_000))
    monkeypatch.setattr(model_file, "checksum", None)  # to come so far would be an error
    with pytest.raises(ModelFileError, match="larger than what it describes"):
        load_model(path)


@pytest.mark.parametrize(
    "text",
    ["", "not json", "[]", "3", "null", '"text"', "{}", '{"format": 1}', "[" * 10**5, "1" * 5000],
    ids=lambda text: text[:15],
)
def test_a_spec_that_is_no_spec_is_a_fault(text, path):
    forge(path, text=text)
    with pytest.raises(ModelFileError, match="does not describe a model"):
        load_model(path)


SHAPE = MODELS["classes"].layers[0][0].shape


@pytest.mark.parametrize(
    "tensors",
    [
        {"0.w": None},
        {"1.b": None},
        {"inputs.shift": None},
        {"0.w": np.zeros(SHAPE[::-1], np.float32)},
        {"0.w": np.zeros(SHAPE[0] * SHAPE[1], np.float32)},
        {"0.w": np.zeros((*SHAPE, 1), np.float32)},
        {"0.w": np.zeros(SHAPE, np.int32)},
        {"0.w": np.zeros(SHAPE, bool)},
        {"0.w": np.full(SHAPE, np.nan, np.float32)},
        {"1.b": np.array([0, 0, 0, np.inf], np.float32)},
        {"2.b": np.zeros(4, np.float32)},
        {"inputs.scale": np.ones(1)},
        {"inputs.scale": np.full(SHAPE[0], np.inf)},
        {"inputs.shift": np.full(SHAPE[0], np.nan)},
    ],
    ids=lambda tensors: "".join(f"{name} {getattr(a, 'shape', '')}" for name, a in tensors.items()),
)
def test_arrays_that_do_not_fit_the_spec_are_a_fault(tensors, path):
    forge(path, **tensors)
    with pytest.raises(ModelFileError, match="does not describe a model"):
        load_model(path)


@pytest.mark.parametrize("name", ["outputs.shift", "outputs.scale"])
def test_a_regression_without_its_output_scaling_is_a_fault(name, path):
    forge(path, MODELS["values"], **{name: None})
    with pytest.raises(ModelFileError, match="does not describe a model"):
        load_model(path)


def test_a_column_name_may_be_any_text(path):
    strange = replace(FEATURES[0], name='größe "\\\n\t💧 ')
    model = replace(drawn(), encoder=Encoder((strange, *FEATURES[1:])))
    model.save(path)
    assert load_model(path).encoder.features[0].name == strange.name
