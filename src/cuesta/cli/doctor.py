"""`cuesta doctor`: what went wrong in a training."""

from __future__ import annotations

from functools import partial

from cuesta.cli import options
from cuesta.cli.base import flag, guarded, print_json
from cuesta.cli.fit import fit


@guarded()
def doctor(run_folder: options.WatchedRun, json_: options.Json = False) -> None:
    """Say what went well and what went wrong in the training of a run's network, and why.

    Reads what was recorded in training: gradients and updates of each layer,
    dead and saturated units, clipping, the loss curves; after `fit
    --instruments full` the curvature too, and the change of the loss that
    Taylor's expansion predicts of each step. Findings come with the figures
    that show them and the parameter to change, the most serious first.

    For example:

      cuesta fit breast_cancer --instruments full

      cuesta doctor breast_cancer.cuesta
    """
    from cuesta.diagnose.storage import read_diagnosis
    from cuesta.report.console import SafeConsole
    from cuesta.report.diagnosis import plain_diagnosis, show_diagnosis

    diagnosis = read_diagnosis(run_folder)
    if json_:
        print_json(plain_diagnosis(diagnosis))
    else:
        show_diagnosis(SafeConsole(), diagnosis, partial(flag, fit))
