"""An estimator's file: all that prediction needs, and nothing that runs."""

import json
import struct
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_diabetes, load_iris

import cuesta
from cuesta._util.model_file import checksum
from cuesta.errors import ModelFileError, SpecError

FILES = Path(__file__).parent / "files"
IRIS = load_iris(return_X_y=True)


def quick(**changes):
    how = {"hidden_layer_sizes": (8,), "epochs": 4, "random_state": 0, **changes}
    return cuesta.MLPClassifier(**how)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "net.safetensors"
    quick(class_weight={0: 1.0, 1: 2.0, 2: 1.0}, dropout=0.1).fit(*IRIS).save(path)
    return path


def header_and_body(path):
    raw = path.read_bytes()
    (length,) = struct.unpack("<Q", raw[:8])
    return json.loads(raw[8 : 8 + length]), raw[8 + length :]


def rewritten(path, out, change):
    """The file with its description changed, and a checksum that fits."""
    from safetensors import safe_open
    from safetensors.numpy import save_file

    with safe_open(path, framework="numpy") as file:
        about = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    spec = json.loads(about["cuesta"])
    change(spec)
    text = json.dumps(spec)
    save_file(tensors, out, {"cuesta": text, "sha256": checksum(tensors, text)})
    return out


@pytest.mark.parametrize(
    "labels", [np.array(["a", "b", "c"]), np.array([0, 1, 2]), np.array([1.0, 2.0, 7.0])]
)
def test_a_classifier_comes_back_as_it_was(labels, tmp_path):
    net = quick(early_stopping=True).fit(IRIS[0], labels[IRIS[1]])
    net.save(tmp_path / "net.safetensors")
    again = cuesta.load(tmp_path / "net.safetensors")
    assert again.get_params() == net.get_params()
    assert again.history_ == net.history_
    np.testing.assert_array_equal(again.classes_, net.classes_)
    np.testing.assert_array_equal(again.predict(IRIS[0]), net.predict(IRIS[0]))
    np.testing.assert_array_equal(again.predict_proba(IRIS[0]), net.predict_proba(IRIS[0]))


def test_a_regressor_and_labels_come_back(tmp_path):
    x, y = load_diabetes(return_X_y=True)
    for net, target in (
        (cuesta.MLPRegressor((4,), epochs=2), y),
        (cuesta.MLPRegressor((4,), epochs=2), np.column_stack([y, y])),
        (quick(), (x[:, :2] > 0).astype(int)),
    ):
        net.fit(x, target).save(tmp_path / "net.safetensors")
        again = cuesta.load(tmp_path / "net.safetensors")
        np.testing.assert_array_equal(again.predict(x), net.predict(x))


def test_a_table_is_taken_as_before(tmp_path):
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"size": rng.standard_normal(60), "kind": rng.choice(["a", "b"], 60)})
    net = quick().fit(table, (table["kind"] == "a").to_numpy())
    net.save(tmp_path / "net.safetensors")
    again = cuesta.load(tmp_path / "net.safetensors")
    np.testing.assert_array_equal(again.predict(table), net.predict(table))
    with pytest.raises(ValueError, match="feature names"):
        again.predict(table.rename(columns={"size": "length"}))


@pytest.mark.parametrize("columns", [None, 0, -1, 2.5, True, "4", 10**30, 4])
def test_columns_that_do_not_fit_their_names_are_a_fault(columns, saved, tmp_path):
    def change(spec):
        spec["estimator"] |= {"n_features_in": columns, "feature_names_in": ["a", "b"]}

    path = rewritten(saved, tmp_path / "net.safetensors", change)
    with pytest.raises(ModelFileError, match="does not describe an estimator"):
        cuesta.load(path)


def test_a_run_of_the_command_can_be_loaded_by_its_folder(tmp_path, saved):
    path = rewritten(saved, tmp_path / "model.safetensors", lambda spec: spec.pop("estimator"))
    assert isinstance(cuesta.load(path), cuesta.model.FittedModel)
    assert isinstance(cuesta.load(tmp_path), cuesta.model.FittedModel)


def test_files_of_an_earlier_version_are_read():
    # Written by the version before the file had one reader; what it predicted then.
    net = cuesta.load(FILES / "classifier.safetensors")
    assert net.class_weight == {"a": 1.0, "b": 2.0, "c": 1.5}
    assert (net.hidden_layer_sizes, net.n_epochs_, net.best_epoch_) == ((3,), 20, 20)
    assert (net.preset, net.numeric_embedding, net.schedule) == (None, "none", "linear")
    assert net.classes_.tolist() == ["a", "b", "c"]
    shares = [
        [0.30036234654827976, 0.43355677917367935, 0.26608087427804084],
        [0.14700758897434824, 0.3027341387613022, 0.5502582722643496],
        [0.18116571346274063, 0.3283878249273737, 0.49044646160988564],
    ]
    # The forward pass is in float64; another processor may sum in another order.
    np.testing.assert_allclose(net.predict_proba(IRIS[0][[0, 110, 149]]), shares, rtol=1e-12)
    values = cuesta.load(FILES / "regressor.safetensors")
    assert list(values.history_) == ["loss", "validation_rmse"]
    np.testing.assert_allclose(
        values.predict(load_diabetes().data[:3]),
        [246.05081303254178, 143.93959741116316, 204.1222692065409],
        rtol=1e-12,
    )


def test_what_no_file_can_hold_is_refused(tmp_path):
    pytest.importorskip("optax")
    import optax

    with pytest.raises(SpecError, match="optimizer"):
        quick(optimizer=optax.lion, learning_rate=1e-3).fit(*IRIS).save(tmp_path / "x")
    assert not (tmp_path / "x").exists()


@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
@settings(max_examples=60, deadline=None)
def test_a_changed_bit_is_seen(saved, tmp_path_factory, place, bit):
    raw = bytearray(saved.read_bytes())
    raw[int(place * len(raw))] ^= 1 << bit
    path = tmp_path_factory.mktemp("bits") / "net.safetensors"
    path.write_bytes(raw)
    with pytest.raises(ModelFileError):
        cuesta.load(path)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_a_truncated_file_is_seen(saved, tmp_path, share):
    raw = saved.read_bytes()
    path = tmp_path / "net.safetensors"
    path.write_bytes(raw[: int(share * len(raw))])
    with pytest.raises(ModelFileError, match=r"net\.safetensors"):
        cuesta.load(path)


def test_a_header_that_claims_to_be_huge_is_refused_at_once(saved, tmp_path):
    path = tmp_path / "net.safetensors"
    path.write_bytes(struct.pack("<Q", 1 << 60) + saved.read_bytes()[8:])
    with pytest.raises(ModelFileError):
        cuesta.load(path)


HOSTILE = {
    "another format": lambda spec: spec["estimator"].update(format=99),
    "an unknown class": lambda spec: spec["estimator"].update({"class": "os.system"}),
    "the other class": lambda spec: spec["estimator"].update({"class": "MLPRegressor"}),
    "an unknown parameter": lambda spec: spec["estimator"]["params"].update(evil=1),
    "no parameters": lambda spec: spec["estimator"].pop("params"),
    "text for a number": lambda spec: spec["estimator"].update(history={"loss": ["x"]}),
    "endless columns": lambda spec: spec["estimator"].update(n_features_in=float("inf")),
    "no history": lambda spec: spec["estimator"].update(history=None),
    "a list": lambda spec: spec.update(estimator=[]),
    "wrong sizes": lambda spec: spec["candidate"].update(hidden_layer_sizes=[9]),
    "an unknown task": lambda spec: spec["target"].update(task="magic"),
    "deep nesting": lambda spec: spec["estimator"]["params"].update(
        class_weight=json.loads("[" * 50 + "]" * 50)
    ),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_description_runs_nothing(what, saved, tmp_path):
    path = rewritten(saved, tmp_path / "net.safetensors", HOSTILE[what])
    if what == "deep nesting":  # a parameter is only checked when it is used
        cuesta.load(path).predict(IRIS[0])
        return
    with pytest.raises(ModelFileError, match=r"net\.safetensors") as error:
        cuesta.load(path)
    told = str(error.value)
    assert told.endswith(".")
    assert not told.endswith("..")
    assert "\n" not in told


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ModelFileError, match="nothing"):
        cuesta.load(tmp_path / "nothing")
