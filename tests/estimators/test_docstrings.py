"""The docstrings of the estimators tell what their constructors take and what a fit leaves."""

import ast
import inspect
import math
import re

import pytest
from sklearn.datasets import load_iris

from cuesta import MLPClassifier, MLPRegressor, SearchCV, TabularClassifier, TabularRegressor

ESTIMATORS = pytest.mark.parametrize(
    "kind", [MLPClassifier, MLPRegressor, SearchCV, TabularClassifier, TabularRegressor]
)
IRIS = load_iris(return_X_y=True)
RUN = {
    "folds": 2,
    "epochs": 1,
    "space": {"hidden_layer_sizes": [[4]]},
    "instruments": "off",
    "baselines": False,
}


def section(kind, title):
    """Of a section of numpydoc: name → (what stands behind the colon, the lines below)."""
    doc = inspect.getdoc(kind)
    body = re.search(rf"^{title}\n-+\n(.*?)(?=^[A-Z]\w+\n-+$|\Z)", doc, flags=re.M | re.S).group(1)
    entries = re.findall(r"^(\w+) : (.*)\n((?:    .*\n?|\n)*)", body, flags=re.M)
    return {name: (kind.strip(), text.strip()) for name, kind, text in entries}


def default_told(kind):
    told = re.search(r"default=(.*)$", kind)
    if told is None:
        return inspect.Parameter.empty
    return math.nan if told.group(1) == "nan" else ast.literal_eval(told.group(1))


@ESTIMATORS
def test_every_parameter_is_described_in_order_with_its_true_default(kind):
    taken = inspect.signature(kind).parameters
    described = section(kind, "Parameters")
    assert list(described) == list(taken)
    for name, (told, text) in described.items():
        assert text, name
        assert repr(default_told(told)) == repr(taken[name].default), name  # nan equals nan so


@pytest.mark.parametrize(
    ("classifier", "regressor", "own"),
    [(MLPClassifier, MLPRegressor, {"loss"}), (TabularClassifier, TabularRegressor, {"metric"})],
)
def test_a_parameter_of_both_networks_is_described_alike(classifier, regressor, own):
    one, other = section(classifier, "Parameters"), section(regressor, "Parameters")
    for name in (one.keys() & other.keys()) - own:
        assert one[name] == other[name]


@pytest.mark.parametrize(
    "fitted",
    [
        lambda: MLPClassifier((4,), epochs=1).fit(*IRIS),
        lambda: MLPRegressor((4,), epochs=1).fit(*IRIS),
        lambda: TabularClassifier(**RUN).fit(*IRIS),
        lambda: TabularRegressor(**RUN).fit(*IRIS),
        lambda: SearchCV(MLPClassifier((4,), epochs=1), {"init": ["he"]}, cv=2, committee=True).fit(
            *IRIS
        ),
    ],
)
def test_what_a_fit_leaves_is_what_the_attributes_tell(fitted):
    net = fitted()
    left = {
        name for name in dir(net) if name.endswith("_") and name[0] != "_" and hasattr(net, name)
    }
    told = set(section(type(net), "Attributes"))
    assert left <= told
    assert told - left <= {"feature_names_in_"}  # of tables alone
