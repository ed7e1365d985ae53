"""What a lane costs among few and many, the memory of a great search, the commands' times.

    python bench/scale.py

The same small network (one hidden layer) on breast_cancer: 100 and 1,000 lanes for 20 epochs, and
5,000 candidates on 5 folds for 10, each in a process of its own, programs compiled before.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CUESTA = str(Path(sys.executable).parent / "cuesta")


def searched(hidden: int, candidates: int, epochs: int) -> None:
    """Fit, and print seconds, lanes and the peak of the process's memory in MiB."""
    from cuesta.data.table import read_table
    from cuesta.search.space import Choice, Range, Space
    from cuesta.tabular.fit import fit
    from cuesta.tabular.options import Options

    space = Space(
        {
            "hidden_layer_sizes": Choice(((hidden,),)),
            "learning_rate": Range(1e-4, 1e-2, log=True),
            "batch_size": Choice((32,)),
        }
    )
    table = read_table("breast_cancer")
    fit(table, Options(space=space, candidates=candidates, epochs=1))  # compiles
    began = time.perf_counter()
    result = fit(table, Options(space=space, candidates=candidates, epochs=epochs))
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(seconds, result.selection.lanes, peak)


def in_process(*numbers: int) -> tuple[float, float, float]:
    """The same in a process of its own."""
    command = [sys.executable, __file__, *map(str, numbers)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    seconds, lanes, peak = map(float, done.stdout.split()[-3:])
    return seconds, lanes, peak


def whole(*command: str) -> float:
    """Seconds of a whole process, the quickest of three."""
    taken = []
    for _ in range(3):
        began = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        taken.append(time.perf_counter() - began)
    return min(taken)


def main() -> None:
    """Print what was found, a line each."""
    few, many = in_process(32, 20, 20), in_process(32, 200, 20)
    per_few, per_many = few[0] / few[1], many[0] / many[1]
    print(
        f"a lane among 100: {1e3 * per_few:.2f} ms; among 1,000: {1e3 * per_many:.2f} ms "
        f"({per_many / per_few:.2f} of it, bar 1.10)"
    )
    seconds, lanes, peak = in_process(16, 5000, 10)
    print(f"{lanes:,.0f} lanes: {seconds:.0f} s, peak {peak:,.0f} MiB (bar 1,536)")
    print(f"cuesta --help: {whole(CUESTA, '--help'):.2f} s (bar 0.5)")
    with tempfile.TemporaryDirectory() as folder:
        rows = Path(folder) / "rows.csv"
        from cuesta.data.bundled import load_bundled

        frame, _ = load_bundled("breast_cancer")
        frame.sample(10_000, with_replacement=True, seed=0).write_csv(rows)
        run = f"{folder}/run"
        fit = ("fit", "breast_cancer", "--candidates", "2", "--epochs", "2", "--out", run)
        subprocess.run([CUESTA, *fit], check=True, capture_output=True)
        out = ("--out", f"{folder}/out.csv")
        seconds = whole(CUESTA, "predict", run, str(rows), *out)
    print(f"cuesta predict, 10,000 rows: {seconds:.2f} s (bar 1)")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        searched(*map(int, sys.argv[1:]))
    else:
        main()
