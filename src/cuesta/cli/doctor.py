"""Say what went wrong in a training."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cuesta.cli.base import guarded, print_json


@guarded()
def doctor(
    run_folder: Annotated[
        Path, typer.Argument(help="The folder of a run of `cuesta fit`.", metavar="DIR")
    ],
    json_: Annotated[
        bool, typer.Option("--json", help="Print findings and gauges as JSON, and nothing else.")
    ] = False,
) -> None:
    """Say what went well and what went wrong in the training of a run's network, and why.

    Reads what the instruments saw: gradients and updates layer by layer, dead and saturated units,
    clipping, the curves; with `fit --instruments full` the curvature and what Taylor's expansion
    foresaw of each step too. Findings come with the figures that show them and the parameter to
    change, the gravest first.

    For example:

      cuesta fit breast_cancer --instruments full

      cuesta doctor breast_cancer.cuesta
    """
    from rich.console import Console

    from cuesta.diagnose.storage import read_diagnosis
    from cuesta.report.diagnosis import plain_diagnosis, show_diagnosis

    diagnosis = read_diagnosis(run_folder)
    if json_:
        print_json(plain_diagnosis(diagnosis))
    else:
        show_diagnosis(Console(), diagnosis)
