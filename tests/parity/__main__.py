"""The table of worst differences: `make parity`.

    python -m tests.parity [--groups 10] [--each 100]

Exits with 1 where a difference in float64 is beyond the bound.
"""

from __future__ import annotations

import argparse
import sys
from importlib.metadata import version

import jax
import numpy as np

from tests.parity.paths import PEERS, of_protocol, ours
from tests.parity.problems import STEPS, differences, groups

BOUND = 1e-12  # of the path's largest value


def main() -> int:
    """Measure, print the table as Markdown, and judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--groups", type=int, default=10)
    parser.add_argument("--each", type=int, default=100)
    given = parser.parse_args()
    jax.config.update("jax_enable_x64", True)
    made = groups(given.groups, given.each)
    versions = ", ".join(f"{name} {version(name)}" for name in ("torch", "optax", "keras", "jax"))
    print(f"{given.groups * given.each:,} random problems, {STEPS:,} steps each; {versions}.\n")
    print("| dialect | optimizer | worst difference, float64 | worst difference, float32 |")
    print("|---|---|---|---|", flush=True)
    worst_of_all = 0.0
    for dialect, (peer, names) in PEERS.items():
        for name in names:
            double, single = [], []
            for group in made:
                wanted = peer(name, group)
                opt = ours(name, dialect, group)
                double.append(differences(group, of_protocol(opt, group), wanted).max())
                path = of_protocol(opt, group, np.float32).astype(np.float64)
                single.append(differences(group, path, wanted).max())
            worst_of_all = max(worst_of_all, *double)
            print(f"| {dialect} | {name} | {max(double):.1e} | {max(single):.1e} |", flush=True)
    print(f"\nWorst of all in float64: {worst_of_all:.1e}; the bound is {BOUND:.0e}.")
    return int(worst_of_all > BOUND)


if __name__ == "__main__":
    sys.exit(main())
