"""Whether a validation curve still falls where it ends."""

from __future__ import annotations

import numpy as np

LAST_TENTH, LAST_QUARTER = 10, 4
ERRORS = 2.0  # standard errors that count as a fall
LEAST = 1e-3  # and so large a part of the loss


def still_falls(losses: np.ndarray, best: int) -> bool:
    """Whether the curve (epochs,) falls at its end by more than noise; `best` is its best epoch.

    Epoch `best`, from 1, must be in the last tenth. Of the last quarter the first half's mean must
    be above the second's by more than a thousandth of it, and by more than 2·s·√(2/h): with h
    epochs in each half, and s² = Σ(Jₑ₊₁ − Jₑ)²/2(n − 1) the noise of an epoch by the n − 1
    differences in that quarter (von Neumann et al., 1941), to which a steady fall adds little.
    False where a loss is not finite.
    """
    if best <= len(losses) - max(1, len(losses) // LAST_TENTH):
        return False
    half = len(losses) // (2 * LAST_QUARTER)
    if half < 2 or not np.isfinite(losses[-2 * half :]).all():
        return False
    last = losses[-2 * half :]
    fall = last[:half].mean() - last[half:].mean()
    noise = np.sqrt((np.diff(last) ** 2).mean() / 2)
    least = LEAST * abs(last[half:].mean())
    return bool(fall > max(least, ERRORS * noise * np.sqrt(2 / half)))
