"""A diagnosis on the terminal: curves, layers and steps, then the findings in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, fields
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from cuesta.diagnose.checkup import Diagnosis
from cuesta.diagnose.evidence import Evidence
from cuesta.errors import in_python
from cuesta.hyperparameters import Candidate
from cuesta.report.console import print_hanging, sentence
from cuesta.report.text_plots import bar, sparkline

NOTHING = "nothing is wrong"
IN_THE_SPACE = {field.name for field in fields(Candidate)}
# Parameters of a finding that `cuesta fit` has under another name.
OPTIONS = {"columns": "drop"}


def show_diagnosis(
    console: Console,
    diagnosis: Diagnosis,
    name_parameter: Callable[[str, str], str] = in_python,
) -> None:
    """Curves, layers, steps, and the findings; `name_parameter` as in `show_findings`."""
    evidence = diagnosis.evidence
    for line in _curves(evidence):
        console.print(line, highlight=False)
    console.print(_layers(evidence))
    for line in _steps(evidence):
        console.print(line, highlight=False)
    console.print()
    show_findings(console, diagnosis, name_parameter)


def show_findings(
    console: Console,
    diagnosis: Diagnosis,
    name_parameter: Callable[[str, str], str] = in_python,
) -> None:
    """The findings in words, the gravest first.

    `name_parameter` (parameter, value) tells how the reader sets a parameter; empty where no
    option does.
    """
    if not diagnosis.findings:
        console.print(f"[green]doctor[/]  {NOTHING}", highlight=False)
    for finding in diagnosis.findings:
        color = "red" if finding.severity == "severe" else "yellow"
        print_hanging(
            console,
            f"[{color}]{finding.severity:<7}[/] [bold]{finding.fault}[/]: {sentence(finding.says)}",
            8,
        )
        where = _where_to_set(finding.parameter, name_parameter)
        hint = f" [dim]({sentence(where)})[/]" if where else ""
        print_hanging(console, f"        → {sentence(finding.remedy)}{hint}", 10)
    if diagnosis.note:
        print_hanging(console, f"        [dim]{sentence(diagnosis.note)}[/]", 8)


def _where_to_set(parameters: str, name_parameter: Callable[[str, str], str]) -> str:
    """Parameters of Python ("epochs=100, dropout") as options, or as what a space holds.

    Those that are neither, as `early_stopping`, are left out.
    """
    if name_parameter is in_python:
        return parameters
    options, in_space = [], []
    for part in parameters.split(", "):
        name, _, value = part.partition("=")
        if option := name_parameter(OPTIONS.get(name, name), value):
            options.append(option)
        elif name in IN_THE_SPACE:
            in_space.append(part)
    if in_space:
        options.append(f"{', '.join(in_space)} in {name_parameter('space', '')}")
    return "; ".join(options)


def _curves(e: Evidence) -> list[str]:
    ends = f"{e.train[0]:.4g} → {e.train[-1]:.4g}"
    lines = [f"training loss    {sparkline(e.train)}  {ends}"]
    if e.validation is not None:
        ends = (
            f"{e.validation[0]:.4g} → {e.validation[-1]:.4g}, least {np.nanmin(e.validation):.4g}"
        )
        lines.append(f"validation loss  {sparkline(e.validation)}  {ends}")
    lines.append(f"[dim]the baseline has {e.baseline:.4g}[/]")
    return lines


def _layers(e: Evidence) -> Table:
    seen = e.recording.economy
    table = Table(box=None, pad_edge=False)
    for heading in ("layer", "‖G‖", "", "error passed on", "Δ/w", "dead", "saturated"):
        table.add_column(heading)
    gradients = np.median(seen.gradient, axis=0)
    updates = np.median(seen.update, axis=0)
    sizes = [*e.shape.hidden, e.shape.outputs]
    for layer, size in enumerate(sizes):
        hidden = layer < len(e.shape.hidden)
        logs = np.log10(np.maximum(gradients, 1e-12))
        share = (logs[layer] - logs.min() + 1) / (float(np.ptp(logs)) + 1)
        table.add_row(
            f"{layer + 1} ({size})",
            f"{gradients[layer]:.2g}",
            bar(share),
            f"× {seen.shrink[0][layer]:.2g}" if hidden else "",
            f"{updates[layer]:.2g}",
            f"{bar(float(seen.dead[-1][layer]), 5)} {seen.dead[-1][layer]:.0%}" if hidden else "",
            f"{seen.saturated[-1][layer]:.0%}" if hidden else "",
        )
    return table


def _steps(e: Evidence) -> list[str]:
    seen, full = e.recording.economy, e.recording.full
    norm = np.sqrt((seen.gradient**2).sum(axis=1))
    clipped = seen.clipped < 1
    lines = [
        f"‖G‖              {sparkline(norm, log=True)}  {norm[0]:.3g} → {norm[-1]:.3g}",
        f"noise scale      {sparkline(seen.noise, log=True)}  {np.median(seen.noise):.3g} rows",
    ]
    if clipped.any():
        left = np.median(seen.clipped[clipped])
        lines.append(f"clipped          {clipped.mean():.0%} of the steps, to {left:.0%} of ‖G‖")
    if full is not None:
        hit = np.median(np.abs(full.second - full.actual)) / max(
            float(np.median(np.abs(full.actual))), 1e-30
        )
        lines += [
            f"λmax             {sparkline(full.highest, log=True)}  {full.highest[-1]:.3g}; "
            f"2/λmax = {2 / max(float(full.highest[-1]), 1e-30):.3g}, "
            f"α = {e.candidate.learning_rate:g}",
            f"λmin             {full.lowest[-1]:.3g}",
            f"α/α* − 1         {sparkline(full.length)}  median {np.median(full.length):.2g} "
            "(−1: the start, 0: the minimum, 1: the far wall)",
            f"second order     misses the change of J by {hit:.0%} (median)",
        ]
    if e.recording.diverged_at:
        where = int(seen.broken[seen.broken > 0][0]) if (seen.broken > 0).any() else 0
        layer = f", first in layer {where}" if where else ""
        lines.append(f"[red]not finite[/]       from step {e.recording.diverged_at:,} on{layer}")
    return lines


def plain_diagnosis(diagnosis: Diagnosis) -> dict[str, Any]:
    """The findings and the main gauges as plain values, for JSON."""
    e = diagnosis.evidence
    gauges: dict[str, Any] = {
        f"economy.{name}": _plain(values) for name, values in e.recording.economy._asdict().items()
    }
    if e.recording.full is not None:
        gauges |= {f"full.{n}": _plain(v) for n, v in e.recording.full._asdict().items()}
    return {
        "healthy": diagnosis.healthy,
        "findings": [asdict(finding) for finding in diagnosis.findings],
        "trivial_loss": e.baseline,
        "training_loss": _plain(e.train),
        "validation_loss": None if e.validation is None else _plain(e.validation),
        "steps": _plain(e.recording.steps),
        "not_finite_from": e.recording.diverged_at,
        "gauges": gauges,
    }


def _plain(values: np.ndarray) -> Any:
    """Numbers for JSON, which knows neither NaN nor infinity."""
    listed = np.asarray(values, object)
    listed[~np.isfinite(np.asarray(values, float))] = None
    return listed.tolist()
