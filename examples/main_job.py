"""The command's whole job from Python: from a table to a tested network.

You see the winner of a search, its score by cross-validation, and its one test beside the baseline;
then predictions for rows whose class is not known. This is `cuesta fit wine`.
"""

from pathlib import Path

from cuesta.data.table import read_table
from cuesta.tabular.fit import fit
from cuesta.tabular.options import Options

table = read_table("wine")  # or a file: CSV, TSV, Parquet, Arrow
result = fit(table, Options(candidates=8, epochs=20, seed=1), Path("wine.cuesta"))

winner = result.winner
sizes = winner.candidate.hidden_layer_sizes
print(f"best of {len(result.scores)} candidates: {winner.candidate.optimizer} with layers {sizes}")
print(f"log-loss by cross-validation: {winner.mean:.3f} ± {winner.se:.3f}")
for metric, value in result.test.items():
    print(f"test {metric:<18}{value:.3f}   baseline {result.outcome.baseline[metric]:.3f}")

rows = table.frame.drop(table.targets).head(3)
print(result.model.predict(rows))
print("the run's folder holds", *sorted(path.name for path in Path("wine.cuesta").iterdir()))
