"""How metrics are called, and how numbers are printed."""

from __future__ import annotations

import math

NAMES = {
    "accuracy": "accuracy",
    "log_loss": "log-loss",
    "roc_auc": "ROC-AUC",
    "balanced_accuracy": "balanced accuracy",
    "rmse": "RMSE",
    "mae": "MAE",
    "r2": "R²",
}
LARGE = 10_000  # from here on decimals say nothing


def number(value: float) -> str:
    """Four digits; whole numbers where they are large; a dash for what is not known."""
    if math.isnan(value):
        return "–"
    return f"{value:,.0f}" if abs(value) >= LARGE else f"{value:.4g}"
