"""What halving and bfloat16 save and change, on the bundled tables, beside the same search without.

    python bench/options.py [--seeds 3] [--candidates 64]

For each table: the time as a share of the plain search's (warm programs, medians over the seeds),
how often the same candidate won, the winner's validation metric as the plain search measured that
same candidate, over the best it measured (1 is no loss), and the test metric less the plain one's.
Where the processor has no units for bfloat16 its products are computed in float32, and slower.
"""

from __future__ import annotations

import argparse
import statistics
import time
from dataclasses import replace
from typing import Any

from cuesta.data.table import read_table
from cuesta.tabular.fit import fit
from cuesta.tabular.options import Options

TABLES = ("iris", "wine", "breast_cancer", "diabetes", "digits")
WAYS: dict[str, dict[str, Any]] = {
    "halving": {"halving": True},
    "bfloat16": {"precision": "bfloat16"},
}


def timed(name: str, options: Options) -> tuple[float, Any]:
    """Seconds of a fit, and its result."""
    table = read_table(name)
    began = time.perf_counter()
    result = fit(table, options)
    return time.perf_counter() - began, result


def main() -> None:
    """Print a row for each table and way."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--candidates", type=int, default=64)
    asked = parser.parse_args()
    print("| table | way | time, share of plain | same winner | winner over best | test − plain |")
    print("|---|---|---|---|---|---|")
    for name in TABLES:
        rows: dict[str, list[tuple[float, bool, float, float]]] = {way: [] for way in WAYS}
        for way in WAYS.values():  # compiles
            fit(read_table(name), Options(candidates=asked.candidates, epochs=2, **way))
        fit(read_table(name), Options(candidates=asked.candidates, epochs=2))
        for seed in range(asked.seeds):
            plain = Options(candidates=asked.candidates, seed=seed)
            spent, result = timed(name, plain)
            means = {score.index: score.mean for score in result.scores}
            for way, changes in WAYS.items():
                took, other = timed(name, replace(plain, **changes))
                rows[way].append(
                    (
                        took / spent,
                        other.winner.index == result.winner.index,
                        means[other.winner.index] / result.winner.mean,
                        other.test[other.task.metric] - result.test[result.task.metric],
                    )
                )
        for way, found in rows.items():
            share, same, loss, moved = zip(*found, strict=True)
            print(
                f"| {name} | {way} | {statistics.median(share):.2f} | {sum(same)} of {len(same)} | "
                f"{statistics.mean(loss):.3f} | {statistics.mean(moved):+.4f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
