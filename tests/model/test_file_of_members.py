"""The file of a committee: it comes back, and what is forged is refused."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import cuesta
from cuesta._util import model_file
from cuesta._util.model_file import checksum
from cuesta.data.encode import Target
from cuesta.errors import ModelFileError, TableError
from cuesta.hyperparameters import Candidate
from cuesta.model import Calibration, file, load_model
from cuesta.model.plan import LEFT_OUT, candidate_of, describe_candidate
from tests.model.models import CLASSES, FRAME, VALUES, committee, drawn, residuals_of, rows

TWO = Target("classification", ("y",), ("no", "yes"))
MODELS = {
    "classes": committee(),
    "values": committee(VALUES),
    "labels": committee(Target("multilabel", ("a", "b")), residuals=()),
    "a refit": committee(refit=True, temperature=1.5),
    "a threshold": committee(TWO, temperature=0.5, threshold=0.25),
    "a calibration alone": replace(drawn(), calibration=Calibration(2.0)),
    "many residuals": committee(folds=1, residuals=(residuals_of(CLASSES, 0, 1000, 2000),)),
    "a fold alone": committee(folds=1, refit=True, residuals=()),
}
EVERY_MODEL = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


@EVERY_MODEL
def test_a_model_comes_back_from_its_file_bit_by_bit(model, path):
    model.save(path)
    found = load_model(path)
    assert [(m.weight, m.fold, m.fold_weight) for m in found.members] == [
        (m.weight, m.fold, m.fold_weight) for m in model.members
    ]
    assert [m.network.candidate for m in found.members] == [
        m.network.candidate for m in model.members
    ]
    assert found.calibration.temperature == model.calibration.temperature
    assert found.calibration.threshold == model.calibration.threshold
    for mine, theirs in zip(found.calibration.residuals, model.calibration.residuals, strict=True):
        assert (mine.fold, mine.rows) == (theirs.fold, theirs.rows)
        assert mine.values.tobytes() == theirs.values.tobytes()
    assert found.decide(rows(20)).tobytes() == model.decide(rows(20)).tobytes()
    assert found.decide_folds(rows(20)).tobytes() == model.decide_folds(rows(20)).tobytes()
    assert found.predict(FRAME).equals(model.predict(FRAME))


@EVERY_MODEL
def test_a_second_save_is_the_same_bytes(model, path):
    model.save(path)
    first = path.read_bytes()
    load_model(path).save(path)
    assert path.read_bytes() == first


def test_a_scaling_that_members_share_stands_once(path):
    model = committee(VALUES)
    # Each scaling an object of its own: their numbers alone tell that they are one.
    apart = tuple(
        replace(m, network=replace(m.network, inputs=replace(m.network.inputs, shift=+shift)))
        for m in model.members
        for shift in [m.network.inputs.shift]
    )
    replace(model, members=apart).save(path)
    names = [name for name in load_file(path) if name.endswith(".shift")]
    assert len(names) == 6  # of the inputs and of the values, of three folds
    first, second = (m.network for m in load_model(path).members[:2])
    assert first.inputs is second.inputs
    assert first.outputs is second.outputs


@pytest.mark.parametrize("name", ["classes", "values"])
def test_one_network_is_written_as_it_always_was(name, path):
    older = Path(__file__).parent / "files" / f"{name}.safetensors"
    load_model(older).save(path)
    assert path.read_bytes() == older.read_bytes()


# One value that is not the default of each hyper-parameter that earlier versions have not.
LATER = {
    "architecture": "resnet",
    "schedule": "cosine",
    "warmup": 0.1,
    "numeric_embedding": "plr",
    "embedding_size": 4,
    "embedding_frequencies": 5,
    "embedding_sigma": 0.1,
    "embedding_bins": 6,
    "category_embedding": "learned",
    "input_scale": True,
    "target_transform": "log",
    "clamp": True,
    "weight_average": 0.9,
    "epochs": 7,
}


def test_a_file_leaves_out_what_earlier_versions_have_not_at_its_default():
    assert LATER.keys() == LEFT_OUT.keys()
    older = Path(__file__).parent / "files" / "classes.safetensors"
    plain = describe_candidate(Candidate(**LEFT_OUT))
    assert plain.keys() == described(older)["candidate"].keys()


def test_what_a_file_leaves_out_keeps_its_meaning_when_a_default_changes(monkeypatch):
    monkeypatch.setitem(LEFT_OUT, "warmup", 0.5)  # as if the default had become another
    assert candidate_of({}).warmup == 0.5
    assert describe_candidate(Candidate())["warmup"] == 0.0


@pytest.mark.parametrize("name", LATER)
def test_a_candidate_comes_back_from_its_description(name):
    candidate = Candidate(**{name: LATER[name]})
    about = json.loads(json.dumps(describe_candidate(candidate)))
    assert about[name] == LATER[name]
    assert not about.keys() & (LATER.keys() - {name})
    assert candidate_of(about) == candidate


def test_a_committees_file_has_a_format_that_an_older_version_names(path):
    # That version reads format 1 alone, and says "format 2; this version reads 1".
    committee().save(path)
    assert described(path)["format"] == 2


def test_a_committee_is_loaded_by_the_public_function(path):
    committee().save(path)
    assert cuesta.load(path).decide(rows(5)).tobytes() == committee().decide(rows(5)).tobytes()


# --- forged -----------------------------------------------------------------------------------


def described(path):
    with path.open("rb") as opened:
        header = json.loads(opened.read(int.from_bytes(opened.read(8), "little")))
    return json.loads(header["__metadata__"]["cuesta"])


def forge(path, change=None, model=MODELS["a refit"], **tensors):
    """Save a model with a changed description (by a path of keys), or with other tensors."""
    model.save(path)
    description = described(path)
    arrays = {n: a for n, a in (load_file(path) | tensors).items() if a is not None}
    if change is not None:
        *keys, last, value = change
        place = description
        for key in keys:
            place = place[key]
        place[last] = value
    text = json.dumps(description)
    save_file(arrays, path, {"cuesta": text, "sha256": checksum(arrays, text)})


def test_a_forged_file_without_a_change_is_read(path):
    forge(path)
    assert load_model(path).decide(rows(5)).tobytes() == MODELS["a refit"].decide(rows(5)).tobytes()


FOLD = ("calibration", "residuals", 0)


@pytest.mark.parametrize(
    "change",
    [
        ("format", 1),
        ("format", 3),
        ("members", None),
        ("members", []),
        ("members", 0, {}),
        ("members", 0, "colour", "red"),
        ("members", 0, "candidate", None),
        ("members", 0, "candidate", "activation", "exp"),
        ("members", 0, "candidate", "hidden_layer_sizes", [5]),
        ("members", 0, "candidate", "hidden_layer_sizes", [10**9]),
        ("members", 0, "weight", 0.5),
        ("members", 0, "weight", -0.5),
        ("members", 0, "weight", math.nan),
        ("members", 0, "weight", None),
        ("members", 0, "weight", "1"),
        ("members", 0, "weight", True),
        ("members", 6, "weight", 0.0),
        ("members", 6, "weight", 10**400),
        ("members", 6, "fold_weight", 1.0),
        ("members", 0, "fold", -1),
        ("members", 0, "fold", 0.5),
        ("members", 0, "fold", [0]),
        ("members", 0, "fold", 10**30),
        ("members", 0, "fold_weight", -1.0),
        ("members", 0, "fold_weight", math.inf),
        ("members", 0, "inputs", None),
        ("members", 0, "inputs", -1),
        ("members", 0, "inputs", True),
        ("members", 0, "inputs", 99),
        ("members", 0, "inputs", "0"),
        ("members", 0, "outputs", 0),
        ("target", "base", [1.5, -0.25, -0.25]),
        ("target", "base", [0.5, 0.2, 0.2]),
        ("target", "base", [0.5, 0.5]),
        ("target", "base", [math.nan, 0.5, 0.5]),
        ("calibration", "temperature", math.nan),
        ("calibration", None),
        ("calibration", {}),
        ("calibration", "temperature", 0.0),
        ("calibration", "temperature", 1e9),
        ("calibration", "temperature", None),
        ("calibration", "threshold", 0.5),
        ("calibration", "residuals", None),
        ("calibration", "residuals", [{}]),
        ("calibration", "residuals", [["fold", "rows", "kept"]]),
        ("calibration", "colour", "red"),
        (*FOLD, "fold", 1),
        (*FOLD, "fold", 7),
        (*FOLD, "fold", "0"),
        (*FOLD, "rows", 19),
        (*FOLD, "rows", 10**30),
        (*FOLD, "rows", True),
        (*FOLD, "kept", 19),
        (*FOLD, "kept", 0),
        (*FOLD, "kept", 10**30),
    ],
    ids=lambda change: " ".join(map(str, change))[:60],
)
def test_a_description_of_no_model_is_a_fault(change, path):
    forge(path, change)
    with pytest.raises(ModelFileError, match="does not describe a model") as refused:
        load_model(path)
    assert len(str(refused.value)) < 400  # whatever stands in the file


@pytest.mark.parametrize(
    "tensors",
    [
        {"0.0.w": None},
        {"6.1.b": None},
        {"scaling.0.shift": None},
        {"residuals.1": None},
        {"0.0.w": np.zeros((5, 6), np.float32)},
        {"0.0.w": np.full((6, 5), np.nan, np.float32)},
        {"6.1.b": np.zeros(4, np.int32)},
        {"scaling.0.scale": np.full(6, -1.0)},
        {"scaling.0.scale": np.ones(1)},
        {"residuals.0": np.full((20, 1), -1.0)},
        {"residuals.0": np.linspace(1, 0, 20)[:, None]},
        {"residuals.0": np.full((20, 1), np.inf)},
        {"residuals.0": np.zeros((20, 3))},
        {"residuals.0": np.zeros((20, 1), np.int64)},
    ],
    ids=lambda tensors: "".join(f"{name} {getattr(a, 'shape', '')}" for name, a in tensors.items()),
)
def test_arrays_that_do_not_fit_the_description_are_a_fault(tensors, path):
    forge(path, **tensors)
    with pytest.raises(ModelFileError, match="does not describe a model"):
        load_model(path)


@pytest.mark.parametrize("outputs", [None, 99, -1])
def test_numbers_need_a_scaling_of_their_own(outputs, path):
    forge(path, ("members", 0, "outputs", outputs), committee(VALUES))
    with pytest.raises(ModelFileError, match="does not describe a model"):
        load_model(path)


STRANGE = [None, [], -1, math.inf, "x", True, 10**30, 0.5]


def places(value, path=()):
    """The paths to all values in a description, of lists the first one."""
    if isinstance(value, dict | list):
        for key, each in value.items() if isinstance(value, dict) else enumerate(value[:1]):
            yield (*path, key)
            yield from places(each, (*path, key))


@pytest.mark.slow("reads hundreds of forged files")
def test_whatever_stands_in_a_description_is_a_fault_or_a_model(path):
    forge(path)
    parts = {name: described(path)[name] for name in ("members", "calibration")}
    every = list(places(parts))
    refused = 0
    for place in every:
        for value in STRANGE:
            forge(path, (*place, value))
            try:
                model = load_model(path)
                assert model.predict(FRAME).height == FRAME.height
                assert model.decide_folds(rows(3)).shape == (3, 3, 3)
            except ModelFileError:
                refused += 1
            except TableError:
                pass
    assert refused > len(every) * len(STRANGE) / 2


def test_a_file_far_larger_than_its_model_is_refused_before_its_arrays_are_read(path, monkeypatch):
    monkeypatch.setattr(model_file, "SPARE_BYTES", 10_000)
    forge(path, extra=np.zeros(1_000))
    assert load_model(path).target == CLASSES
    forge(path, extra=np.zeros(100_000))
    monkeypatch.setattr(model_file, "checksum", None)  # to come so far would be an error
    with pytest.raises(ModelFileError, match="larger than what it describes"):
        load_model(path)


@EVERY_MODEL
def test_a_description_counts_the_numbers_that_its_file_holds(model, path):
    model.save(path)
    held = sum(array.size for array in load_file(path).values())
    told = file._Plan.of(described(path)).numbers
    assert told == held
