"""A found learning rate on the terminal: each rate's loss as a bar, and what curvature says."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from rich.console import Console

from cuesta._text import count
from cuesta.diagnose.finder import FoundRate
from cuesta.report.console import shown
from cuesta.report.text_plots import bar

WIDTH = 32


def show_rate(console: Console, found: FoundRate, optimizer: str) -> None:
    """A line for each rate, the suggestion, and the limits that curvature sets."""
    finite = found.losses[np.isfinite(found.losses)]
    # The bars end at the 80th percentile: one very high loss must not flatten all others.
    lowest, highest = finite.min(), np.quantile(finite, 0.8)
    console.print("     rate  loss on held-out rows", highlight=False)
    for rate, loss, epochs in zip(found.rates, found.losses, found.epochs, strict=True):
        mark = "→" if rate == found.suggested else " "
        if not math.isfinite(loss):
            console.print(f"{mark}{rate:8.2g}  [dim]diverges[/]", highlight=False)
            continue
        share = float((loss - lowest) / max(highest - lowest, 1e-12))
        after = count(int(epochs), "epoch")
        console.print(
            f"{mark}{rate:8.2g}  {bar(share, WIDTH)} {loss:.4g} [dim]after {after}[/]",
            highlight=False,
        )
    console.print()
    console.print(
        f"[bold]learning_rate={found.suggested:.2g}[/] for {shown(optimizer)}; {found.verdict}",
        highlight=False,
    )
    console.print(
        f"at the initial weights, for gradient descent: α* {found.best_step:.2g}, "
        f"2/λmax {found.limit:.2g}",
        highlight=False,
    )


def plain_rate(found: FoundRate) -> dict[str, Any]:
    """The figures for JSON; null where a rate diverges or a curvature is not positive."""

    def number(value: float) -> float | None:
        return float(value) if math.isfinite(value) else None

    return {
        "suggested": found.suggested,
        "low": found.low,
        "high": found.high,
        "best_step": number(found.best_step),
        "limit": number(found.limit),
        "doubt": found.doubt,
        "rates": [
            {"rate": float(rate), "loss": number(loss), "epochs": int(epochs)}
            for rate, loss, epochs in zip(found.rates, found.losses, found.epochs, strict=True)
        ],
    }
