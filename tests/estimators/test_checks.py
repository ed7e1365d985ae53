"""scikit-learn's own checks, all of them, with no expected failure."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from cuesta import MLPClassifier, MLPRegressor, SearchCV

pytestmark = [
    pytest.mark.filterwarnings("default"),
    pytest.mark.slow("scikit-learn's checks make hundreds of fits"),
]


# Repeated rows and weights are the same to the last bit where an epoch is one batch, which the
# check on weights asks for; its folds have up to 60 rows.
WIDE = {"batch_size": 128, "epochs": 80}
RATES = {"learning_rate": [1e-2, 3e-3]}


@parametrize_with_checks(
    [
        MLPClassifier(),
        MLPRegressor(),
        SearchCV(MLPClassifier(**WIDE), RATES, cv=3),
        SearchCV(MLPRegressor(**WIDE), RATES, cv=3),
    ]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)
