"""An optimizer of optax's, and one of your own, in a search beside ours.

You see the log-loss of each optimizer at its best learning rate. A factory is a function with a
name that takes a learning rate; `optax.NAME` stands for one of optax's (`pip install optax`).
"""

import optax
from sklearn.datasets import load_breast_cancer

from cuesta import MLPClassifier, SearchCV


def careful(learning_rate: float) -> optax.GradientTransformation:
    """Adam whose gradients have their mean over a layer's inputs removed (Yong et al., 2020)."""
    return optax.chain(optax.centralize(), optax.adam(learning_rate))


X, y = load_breast_cancer(return_X_y=True)
search = SearchCV(
    MLPClassifier((16,), epochs=15, random_state=0),
    {"optimizer": ["adam", "optax.lion", careful], "learning_rate": [1e-3, 3e-3, 1e-2]},
    scoring="neg_log_loss",
    cv=3,
)
search.fit(X, y)

found = search.cv_results_
best: dict[str, tuple[float, float]] = {}
for params, score in zip(found["params"], found["mean_test_score"], strict=True):
    optimizer = params["optimizer"]
    name = getattr(optimizer, "__name__", optimizer)
    best[name] = min(best.get(name, (9.0, 0.0)), (-score, params["learning_rate"]))
for name, (loss, rate) in best.items():
    print(f"{name:<12}log-loss {loss:.4f} at a learning rate of {rate:g}")
