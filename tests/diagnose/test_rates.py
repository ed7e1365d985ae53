"""A high learning rate is named only where the loss suffers from it."""

from types import SimpleNamespace

import numpy as np
import pytest

from cuesta.diagnose.faults.steps import rate_too_high
from cuesta.hyperparameters import Candidate

SYMPTOMS = SimpleNamespace(
    swing=0.0, final_loss=0.9, baseline=1.0, diverged_at=0, first_update=0.8, learns=False
)


def evidence(highest=None, **candidate):
    full = None if highest is None else SimpleNamespace(highest=np.array(highest))
    return SimpleNamespace(
        candidate=Candidate(**{"optimizer": "sgd", "learning_rate": 0.059, **candidate}),
        unnormalized=False,
        recording=SimpleNamespace(full=full),
    )


def changed(**how):
    return SimpleNamespace(**{**vars(SYMPTOMS), **how})


def test_long_first_steps_are_a_fault_of_a_network_that_does_not_learn():
    found = rate_too_high(evidence(), SYMPTOMS)
    assert found is not None
    assert "0.8 of their norm" in found.says


def test_long_first_steps_are_no_fault_of_a_network_that_learns():
    assert rate_too_high(evidence(), changed(learns=True, final_loss=0.05)) is None


def test_no_rate_of_sgd_below_the_limit_of_its_own_gauges_is_called_high():
    assert rate_too_high(evidence(highest=[2 / 0.101]), SYMPTOMS) is None
    assert rate_too_high(evidence(highest=[2 / 0.101, 2 / 0.05]), SYMPTOMS) is not None
    assert rate_too_high(evidence(highest=[2 / 0.101], optimizer="adam"), SYMPTOMS) is not None


@pytest.mark.parametrize("how", [{"diverged_at": 3}, {"swing": 0.8}])
def test_divergence_and_a_loss_that_does_not_come_down_are(how):
    assert rate_too_high(evidence(), changed(first_update=0.01, **how)) is not None
