"""Bins of numeric columns for piecewise-linear embeddings, from the training rows of one fold."""

from __future__ import annotations

import numpy as np

LEAST_ROWS = 8  # of a leaf of the tree that finds a column's splits


def bin_edges(
    x: np.ndarray, bins: int, targets: np.ndarray | None = None, *, classes: bool = False
) -> list[np.ndarray]:
    """For each column of x (rows, columns) at most bins + 1 ascending edges (Gorishniy et al.).

    The quantiles at 0, 1/bins, ..., 1, each value once; or, with targets, the splits of a decision
    tree on this column alone with so many leaves, between its least and greatest. NaN is missing.
    A column without two values has no edges.
    """
    found = []
    for column in x.T:
        present = ~np.isnan(column)
        values = column[present]
        if not len(values) or values.min() == values.max():
            found.append(np.empty(0))
        elif targets is None:
            found.append(np.unique(np.quantile(values, np.linspace(0, 1, bins + 1))))
        else:
            splits = _splits(values, targets[present], bins, classes=classes)
            found.append(np.unique([values.min(), *splits, values.max()]))
    return found


def _splits(values: np.ndarray, targets: np.ndarray, bins: int, *, classes: bool) -> np.ndarray:
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    kind = DecisionTreeClassifier if classes else DecisionTreeRegressor
    tree = kind(max_leaf_nodes=bins, min_samples_leaf=LEAST_ROWS, random_state=0)
    fitted = tree.fit(values[:, None], targets).tree_
    return np.asarray(fitted.threshold[fitted.feature >= 0])


def bins_of(edges: list[np.ndarray], bins: int) -> tuple[np.ndarray, np.ndarray]:
    """Lower edges and 1/width of each column's bins (columns, bins), in float32.

    A column with fewer bins has empty ones at its end, whose 1/width of 0 leaves them at 0.
    """
    low, inverse = (np.zeros((len(edges), bins), np.float32) for _ in range(2))
    for column, own in enumerate(edges):
        widths = np.diff(own)
        low[column, : len(widths)] = own[:-1]
        inverse[column, : len(widths)] = 1.0 / np.maximum(widths, 1e-6)
    return low, inverse
