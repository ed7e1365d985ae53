"""Search over a bundled table: 12 networks on 5 folds, trained at once.

You see every candidate with its mean accuracy over the folds, the best first, and then what the
winner does on rows that the search never saw.
"""

from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

from cuesta import MLPClassifier, SearchCV

X, y = load_breast_cancer(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)

search = SearchCV(
    MLPClassifier((32,), epochs=20, random_state=0),
    {
        "optimizer": ["momentum", "adam"],
        "learning_rate": [1e-3, 3e-3, 1e-2],
        "dropout": [0.0, 0.3],
    },
    cv=5,
)
search.fit(X_train, y_train)

found = search.cv_results_
for place in found["rank_test_score"].argsort():
    mean, spread = found["mean_test_score"][place], found["std_test_score"][place]
    print(f"{mean:.4f} ± {spread:.4f}  {found['params'][place]}")
print(f"accuracy on the test rows: {search.score(X_test, y_test):.4f}")
