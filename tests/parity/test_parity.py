"""A sample of `make parity`: the notes by hand, and the installed optax."""

import numpy as np
import pytest

from tests.parity.paths import PEERS, of_protocol, ours
from tests.parity.problems import differences, groups

# float64 rounds at 1e-16; over hundreds of steps of either sign this stays far below 1e-12 of the
# path, while the smallest difference of convention, an ε of 1e-10, shows at 1e-10 and above.
BOUND = 1e-12
STEPS = 300
SAMPLE = groups(2, 20, STEPS)
CASES = [(dialect, name) for dialect in ("notes", "optax") for name in PEERS[dialect][1]]


@pytest.mark.parametrize(("dialect", "name"), CASES, ids="-".join)
def test_the_path_is_the_peers(dialect, name, float64):
    for group in SAMPLE:
        path = of_protocol(ours(name, dialect, group), group)
        worst = differences(group, path, PEERS[dialect][0](name, group))
        assert worst.max() <= BOUND


@pytest.mark.parametrize("name", PEERS["notes"][1])
def test_in_float32_rounding_alone_is_left(name, float64):
    # Each step rounds the weights to 24 bits: at most half an ulp, 2⁻²⁴ of the path's largest
    # value, T times; the moments' and the step's own roundings are of the size of a step.
    bound = 2 * STEPS * 2.0**-24
    for group in SAMPLE:
        path = of_protocol(ours(name, "notes", group), group, np.float32)
        assert differences(group, path, PEERS["notes"][0](name, group)).max() <= bound


def test_problems_are_of_every_kind():
    streams = np.concatenate([group.gradients.T for group in SAMPLE])
    sizes = np.abs(streams).max(axis=1)
    assert sizes[sizes > 0].min() < 1e-6
    assert sizes.max() > 1e6
    assert (sizes == 0).any()
    assert ((streams == 0).mean(axis=1) > 0.9).any()
    assert {group.alpha_0 == group.alpha_t for group in SAMPLE} == {True, False}
