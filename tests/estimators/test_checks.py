"""scikit-learn's own checks, all of them, with no expected failure."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from cuesta import MLPClassifier, MLPRegressor, SearchCV, TabularClassifier, TabularRegressor

pytestmark = [
    pytest.mark.filterwarnings("default"),
    pytest.mark.slow("scikit-learn's checks make hundreds of fits"),
]


# Repeated rows and weights are the same to the last bit where an epoch is one batch, which the
# check on weights asks for; its folds have up to 60 rows.
WIDE = {"batch_size": 128, "epochs": 80}
RATES = {"learning_rate": [1e-2, 3e-3]}
# So it is with the preset, whose batches follow the number of rows.
TABULAR = {"preset": "tabular", "batch_size": 128, "epochs": 80}
# A run of two candidates on two folds: enough to learn what the checks ask for.
SMALL = {
    "space": {"hidden_layer_sizes": [[32]], "learning_rate": [1e-2, 3e-3], "batch_size": [16]},
    "candidates": 2,
    "folds": 2,
    "epochs": 30,
    "instruments": "off",
    "baselines": False,
}


@parametrize_with_checks(
    [
        MLPClassifier(),
        MLPRegressor(),
        MLPClassifier(**TABULAR),
        MLPRegressor(**TABULAR),
        SearchCV(MLPClassifier(**WIDE), RATES, cv=3),
        SearchCV(MLPRegressor(**WIDE), RATES, cv=3),
        TabularClassifier(**SMALL),
        TabularRegressor(**SMALL),
    ]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)
