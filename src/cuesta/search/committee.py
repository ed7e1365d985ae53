"""A committee of candidates: weights chosen greedily by out-of-fold predictions.

One candidate after the other joins, each time the one with which the mean of all that joined has
the least loss; the same one may join again (Caruana et al., 2004). A candidate's weight is its part
of those that joined. On simulated candidates 50 or 100 rounds, a start with the best few of them,
bags of candidates, or the best weights of all by optimization were no better on new rows, to 0.5 %
of the log-loss from 300 rows on.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from cuesta.errors import SpecError
from cuesta.metrics import LEAST

ROUNDS = 25
BLOCK = 16  # shares of at least 1e-15 whose product float64 still holds


def greedy(
    predictions: np.ndarray,
    y: np.ndarray,
    loss: Callable[[np.ndarray, np.ndarray], float],
    rounds: int = ROUNDS,
) -> np.ndarray:
    """Weights (candidates,) of a committee, that sum to 1, by any loss (Caruana et al., 2004).

    In round k the candidate c joins that has the least loss(y, (P₁ + … + Pₖ₋₁ + P_c)/k), P_i the
    predictions of the i-th that joined; w_c = (times that c joined)/k, after the round with the
    least loss. Of equal losses the earlier candidate and the earlier round are taken.
    `predictions` (candidates, rows, outputs) are out of fold; `loss` takes the truth and a mixture
    (rows, outputs), lower is better, NaN as bad as ∞. `greedy_log_loss` and `greedy_rmse` find the
    same for their losses, sooner. Raises SpecError where no mixture has a finite loss.
    """
    total = np.zeros(predictions.shape[1:])

    def losses_with(counts: np.ndarray) -> np.ndarray:
        k = counts.sum() + 1
        return np.array([loss(y, (total + one) / k) for one in predictions], dtype=np.float64)

    def joined(chosen: int) -> None:
        np.add(total, predictions[chosen], out=total)

    return _grow(len(predictions), losses_with, joined, rounds)


def greedy_log_loss(shares_of_truth: np.ndarray, rounds: int = ROUNDS) -> np.ndarray:
    """Weights (candidates,) of a committee by log-loss: `greedy` on −(1/n) Σ log p.

    Of a mixture of class shares the log-loss depends on the true class's alone:
    `shares_of_truth` (candidates, rows) holds that p, from 0 to 1. Raises SpecError as `greedy`.
    """
    shares = np.asarray(shares_of_truth, dtype=np.float64)
    total = np.zeros(shares.shape[1])
    space = np.empty_like(total)

    def losses_with(counts: np.ndarray) -> np.ndarray:
        k = counts.sum() + 1
        return np.array([_log_loss(np.add(total, one, out=space), k) for one in shares])

    def joined(chosen: int) -> None:
        np.add(total, shares[chosen], out=total)

    return _grow(len(shares), losses_with, joined, rounds)


def greedy_rmse(errors: np.ndarray, rounds: int = ROUNDS) -> np.ndarray:
    """Weights (candidates,) of a committee by RMSE, the mean over the targets: `greedy` on it.

    `errors` e = ŷ − y (candidates, rows, targets) are in the targets' units. With weights w the
    mean square of a target is wᵀGw, G = (1/n) Σ e eᵀ over the rows, so that a round takes no
    longer for more rows. Raises SpecError as `greedy`.
    """
    table = np.moveaxis(np.asarray(errors, dtype=np.float64), 2, 0)
    # Of the candidates; the others never join.
    finite = np.asarray(np.isfinite(table).all(axis=(0, 2)))
    table = np.where(finite[:, None], table, 0.0)
    units = np.abs(table).max(axis=(1, 2))
    units = np.where(units > 0, units, 1.0)  # so that no square overflows
    grams = np.stack([_gram(one / unit) for one, unit in zip(table, units, strict=True)])
    squares = np.diagonal(grams, axis1=1, axis2=2)

    def losses_with(counts: np.ndarray) -> np.ndarray:
        along = np.einsum("tij,j->ti", grams, counts)
        within = np.einsum("ti,i->t", along, counts)
        grown = within[:, None] + 2 * along + squares
        losses = units @ np.sqrt(np.maximum(grown, 0.0)) / (len(units) * (counts.sum() + 1))
        return np.where(finite, losses, np.inf)

    return _grow(table.shape[1], losses_with, lambda _: None, rounds)


def _grow(
    candidates: int,
    losses_with: Callable[[np.ndarray], np.ndarray],
    joined: Callable[[int], None],
    rounds: int,
) -> np.ndarray:
    """The weights after the round with the least loss.

    `losses_with(counts)` tells, for each candidate, the loss of the mean of all that joined and of
    this one; counts[c] is how often c has joined. `joined` is told who joins.
    """
    counts, least, best = np.zeros(candidates), np.inf, None
    for _ in range(rounds):
        losses = losses_with(counts)
        chosen = int(np.argmin(np.where(np.isnan(losses), np.inf, losses)))
        counts[chosen] += 1
        joined(chosen)
        if losses[chosen] < least:
            least, best = float(losses[chosen]), counts / counts.sum()
    if best is None:
        raise SpecError("No candidate has a finite loss, so there is none for a committee.")
    return best


def _log_loss(sums: np.ndarray, k: float) -> float:
    """−(1/n) Σ log(sums/k), which overwrites the sums: one logarithm for the product of 16 rows."""
    shares = np.maximum(np.divide(sums, k, out=sums), LEAST, out=sums)
    whole = len(shares) // BLOCK * BLOCK
    products = np.multiply.reduce(shares[:whole].reshape(BLOCK, -1), axis=0)
    return -float(np.log(products).sum() + np.log(shares[whole:]).sum()) / len(shares)


def _gram(errors: np.ndarray) -> np.ndarray:
    """(1/n) Σ e eᵀ over the rows of (candidates, rows).

    Not by the matrix library, whose sums may depend on the place of a candidate and on threads.
    """
    table = np.ascontiguousarray(errors)
    return np.einsum("ir,jr->ij", table, table) / table.shape[1]
