"""Every option of every command: its name, what it does, and its default where that is no value.

A command's signature names these types, one a line, with the defaults. The tables in README.md and
docs/commands.md have the same texts; a test compares them.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from cuesta.hyperparameters import DIALECTS, INSTRUMENTS, OPTIMIZERS, PRECISIONS

# The panels of `--help`: what is asked for most stands in the first, which has no name of its own.
DATA, SEARCH, TRAINING = "Data", "Search", "Training"
FUNCTION, RATES, GRADIENTS = "Function", "Learning rates", "Gradients"


def _one_of(names: Iterable[str]) -> str:
    *all_but_one, last = names
    return f"{', '.join(all_but_one)} or {last}"


def _option(
    help_text: str,
    *names: str,
    metavar: str | None = None,
    default: str = "",
    panel: str | None = None,
) -> Any:
    """An option; `default` says in words what happens where nothing is given."""
    return typer.Option(
        *names,
        help=help_text,
        metavar=metavar,
        show_default=default or True,
        rich_help_panel=panel,
    )


# --- what several commands have ---------------------------------------------------------------

Table = Annotated[
    str,
    typer.Argument(
        help="A CSV, TSV, Parquet or Arrow file, or the name of a bundled data set: breast_cancer, "
        "digits, diabetes, iris, wine or linnerud.",
        metavar="TABLE",
    ),
]
Target = Annotated[
    str | None,
    _option("The column to predict.", metavar="COLUMN", default="a bundled data set's own"),
]
Hidden = Annotated[
    str, _option("Sizes of the hidden layers, with commas between: 64,32.", metavar="SIZES")
]
Seed = Annotated[
    int, _option("The seed of everything random: a whole number from 0 to 4294967295.")
]
Header = Annotated[
    bool,
    _option(
        "Whether the first line of a text file names the columns; without it they are named 0, 1, "
        "2, …",
        "--header/--no-header",
        panel=DATA,
    ),
]
Columns = Annotated[
    list[str] | None,
    _option(
        "What a column is, where the guess is wrong: NAME=number, boolean, category, date (or "
        "date:%d/%m/%Y), time or drop. May be given again for other columns.",
        metavar="NAME=KIND",
        default="guessed from the values",
        panel=DATA,
    ),
]
Encoding = Annotated[
    str | None,
    _option(
        "The encoding of a text file: utf-8, latin-1, windows-1252, utf-16 and others of Python.",
        metavar="NAME",
        default="told by its bytes",
        panel=DATA,
    ),
]
Json = Annotated[bool, _option("Print the result as JSON, and nothing else.", "--json")]

# --- fit --------------------------------------------------------------------------------------

Targets = Annotated[
    list[str] | None,
    _option(
        "The column to predict. May be given again for more columns of numbers.",
        metavar="COLUMN",
        default="a bundled data set's own",
    ),
]
RunFolder = Annotated[
    Path | None,
    _option("The run's folder, where results are written.", metavar="DIR", default="TABLE.cuesta"),
]
Drop = Annotated[
    list[str] | None,
    _option(
        "A column to leave out. May be given again for more.",
        metavar="COLUMN",
        default="none",
        panel=DATA,
    ),
]
Decimal = Annotated[
    str,
    _option(
        "The mark before decimals in text that may be read in two ways, as 1,234: a point, a "
        "comma or auto (by the other columns; else a comma stands between thousands).",
        metavar="MARK",
        panel=DATA,
    ),
]
Missing = Annotated[
    list[str] | None,
    _option(
        "A word or a number that means a missing value, as unknown or -9999, beside the usual "
        "ones. May be given again for more.",
        metavar="VALUE",
        default="blanks, ?, NA, NaN, null and others",
        panel=DATA,
    ),
]
Task = Annotated[
    str,
    _option(
        "How to read the target: auto (by its values), classification or regression.",
        panel=DATA,
    ),
]
TestSize = Annotated[
    float,
    _option(
        "The share of rows kept aside for the test, below 1; with 0 there is no test. It has no "
        "effect with --test or --protocol nested.",
        panel=DATA,
    ),
]
TestTable = Annotated[
    Path | None,
    _option(
        "A second table, with the same columns, as the test; all rows of TABLE then train and "
        "validate.",
        metavar="TABLE",
        default="a share of TABLE",
        panel=DATA,
    ),
]
Candidates = Annotated[
    str,
    _option(
        "How many candidates (sets of hyper-parameters) to try, from 1; a grid has its own number. "
        "auto are those of the built-in space, or 64 of another one, of 100,000 rows or more 20.",
        metavar="NUMBER",
        panel=SEARCH,
    ),
]
SearchSpace = Annotated[
    str | None,
    _option(
        "A file with the values and ranges to search; or notes, the optimizers and ranges of the "
        "notes. The built-in space has a few good configurations, tried first, and what is near "
        "them.",
        metavar="FILE.toml",
        default="the built-in space",
        panel=SEARCH,
    ),
]
Sampler = Annotated[
    str,
    _option(
        "How candidates are chosen: random (evenly spread), grid (every combination of the lists "
        "in --space) or tpe (16 at a time, which learns from the scores of those before).",
        panel=SEARCH,
    ),
]
Metric = Annotated[
    str,
    _option(
        "The metric that selects: for classes log_loss, accuracy, balanced_accuracy (which also "
        "weighs the rows in training, so that each class counts the same), roc_auc, "
        "average_precision, f1 or brier; for numbers rmse, mae or r2; or any scorer of "
        "scikit-learn's by its name. auto is log_loss or rmse, the two whose figure is corrected "
        "for the choice.",
        panel=SEARCH,
    ),
]
Folds = Annotated[
    int, _option("K, the number of folds of the cross-validation, from 2.", panel=SEARCH)
]
Protocol = Annotated[
    str,
    _option(
        "How rows are split: kfold, repeated (K folds three times), grouped (with --groups), "
        "ordered (rows stand in order of time; later rows validate), single (one split) or nested "
        "(the whole search is tested on each of --outer folds, so that every row is a test row "
        "once).",
        panel=SEARCH,
    ),
]
Outer = Annotated[
    int, _option("The number of outer folds of --protocol nested, from 2.", panel=SEARCH)
]
Groups = Annotated[
    str | None,
    _option(
        "A column whose equal values mark a group: its rows stay in one fold. Needs --protocol "
        "grouped or nested.",
        metavar="COLUMN",
        default="none",
        panel=SEARCH,
    ),
]
Choose = Annotated[
    str,
    _option(
        "Which candidate wins: best, or one-se (of those within one standard error of the best, "
        "the one of fewest weights).",
        panel=SEARCH,
    ),
]
Delivered = Annotated[
    str,
    _option(
        "What is delivered: committee (a weighted mean of the best candidates' networks of all "
        "folds), single (the winner, trained on all training rows) or auto (the committee, unless "
        "the single network is clearly better or rows are in order of time).",
        panel=SEARCH,
    ),
]
Threshold = Annotated[
    str | None,
    _option(
        "Of two classes, from which probability on the second is decided (the order is printed "
        "with the target): a number between 0 and 1, or auto (the best for --metric, computed of "
        "the decided labels, on rows that the networks did not see).",
        metavar="NUMBER",
        default="the likelier class",
        panel=SEARCH,
    ),
]
Costs = Annotated[
    str | None,
    _option(
        "Of two classes, two costs with a comma between: of a false alarm (the second class is "
        "decided, the first is true) and of a miss (the other way round), as 1,5. The threshold "
        "is then the one that costs least; it is not to be given too.",
        metavar="ALARM,MISS",
        default="none",
        panel=SEARCH,
    ),
]
Baselines = Annotated[
    bool,
    _option(
        "Whether the linear model and boosted trees are fitted to the same rows and folds, to "
        "stand beside the network.",
        panel=SEARCH,
    ),
]
Halving = Annotated[
    bool,
    _option(
        "Stop candidates that are behind: all train for a ninth of the epochs, the better third "
        "of them for a third, the better third of those to the end.",
        "--halving",
        default="all train to the end",
        panel=SEARCH,
    ),
]
Epochs = Annotated[
    str,
    _option(
        "The largest number of epochs, from 1; how many are used is chosen by the folds. With auto "
        "all candidates take about as many steps, and the better ones that still learn at their "
        "end are trained once more for twice the epochs.",
        metavar="NUMBER",
        panel=TRAINING,
    ),
]
Threads = Annotated[
    int | None,
    _option("Threads that train, from 1.", default="one for each core", panel=TRAINING),
]
Precision = Annotated[
    str | None,
    _option(
        f"Numbers in matrix products: {_one_of(PRECISIONS)}; the second is quicker where the "
        "processor has units for it.",
        default="float32, or what the space says",
        panel=TRAINING,
    ),
]
Instruments = Annotated[
    str,
    _option(
        f"How closely the winner's training is watched for `cuesta doctor`: "
        f"{_one_of(INSTRUMENTS)} (adds the curvature).",
        panel=TRAINING,
    ),
]

# --- predict and doctor -----------------------------------------------------------------------

Model = Annotated[
    Path,
    typer.Argument(help="The folder of a run, or its model.safetensors.", metavar="DIR"),
]
NewRows = Annotated[
    str,
    typer.Argument(
        help="A table of new rows: columns in any order; columns that training did not use are "
        "ignored.",
        metavar="TABLE",
    ),
]
Predictions = Annotated[
    Path | None,
    _option(
        "The file to write, in the format that its ending says: .csv, .tsv, .parquet (or .pq), "
        ".arrow (or .feather, .ipc).",
        metavar="FILE",
        default="printed as CSV",
    ),
]
Keep = Annotated[
    list[str] | None,
    _option(
        "A column of TABLE to write before the predictions, such as an id; all keeps every column. "
        "One that is named like a prediction is called given_COLUMN. May be given again for more.",
        metavar="COLUMN",
        default="none",
    ),
]
Interval = Annotated[
    float | None,
    _option(
        "For numbers: two columns more, COLUMN_lower and COLUMN_upper, between which the truth "
        "lies with this probability; 0.9 is nine times in ten.",
        metavar="LEVEL",
        default="none",
    ),
]
Sets = Annotated[
    float | None,
    _option(
        "For classes: a column more, COLUMN_set, with the fewest labels among which the truth is "
        "with this probability, as 0.9; a bar stands between them.",
        metavar="LEVEL",
        default="none",
    ),
]
WatchedRun = Annotated[
    Path, typer.Argument(help="The folder of a run of `cuesta fit`.", metavar="DIR")
]

# --- rate and surface -------------------------------------------------------------------------

Optimizer = Annotated[str, _option(f"{_one_of(OPTIMIZERS)}.")]
BatchSize = Annotated[int, _option("Rows of a step, from 1.")]
RateEpochs = Annotated[
    int, _option("Epochs of the training that needs the rate: from 1 to 10,000.")
]
PathOptimizers = Annotated[
    str,
    _option(
        f"Whose paths to draw, with commas between: {', '.join(OPTIMIZERS)}, or clipped, which is "
        "sgd with clipped gradients.",
        metavar="NAMES",
    ),
]
PathEpochs = Annotated[int, _option("Epochs of each path: from 1 to 10,000.")]
SurfacePage = Annotated[
    Path | None,
    _option("The page to write.", metavar="PAGE.html", default="surface-TABLE.html"),
]

# --- compare ----------------------------------------------------------------------------------

OneOptimizer = Annotated[
    str,
    typer.Argument(
        help="An optimizer and its dialect, as adam:torch; torch is meant where none is named.",
        metavar="ONE",
    ),
]
OtherOptimizer = Annotated[
    str, typer.Argument(help="The one to compare it with, as adam:keras.", metavar="OTHER")
]
Stream = Annotated[
    str,
    _option(
        "The gradients that both are given: random, sparse, zeros, or a function of `cuesta race`."
    ),
]
CompareSteps = Annotated[int, _option("Steps to take, from 1.")]
LearningRate = Annotated[float, _option("α of the first step, above 0.")]
FinalLearningRate = Annotated[
    float | None,
    _option("α at the end, to which it decays linearly.", default="no decay"),
]

# --- race -------------------------------------------------------------------------------------

RaceFunction = Annotated[
    str,
    typer.Argument(
        help="half_square, quadratic, ravine, rosenbrock, beale, himmelblau, rastrigin, ackley, "
        "saddle, monkey_saddle or cliff; or your own as package.module:function, from a point "
        "(n,) to a number, written with jax.numpy.",
        metavar="FUNCTION",
    ),
]
RaceOptimizers = Annotated[
    str,
    _option(
        f"The optimizers that race, with commas between: {', '.join(OPTIMIZERS)}.", metavar="NAMES"
    ),
]
RacePage = Annotated[
    Path | None, _option("The page to write.", metavar="PAGE.html", default="race-FUNCTION.html")
]
Picture = Annotated[
    Path | None, _option("A still picture to write too.", metavar="PICTURE.png", default="none")
]
Dialect = Annotated[str, _option(f"Whose form of the rules: {_one_of(DIALECTS)}.")]
RaceSteps = Annotated[int, _option("Steps of each path: from 1 to 1,000,000.")]
Seeds = Annotated[int, _option("Starts of the race, from 1: the given one and others close to it.")]
Basins = Annotated[bool, _option("Whether to see where 10,000 starts of the whole domain end.")]
Start = Annotated[
    str | None,
    _option(
        "The point to start from, as -1.2,1.",
        metavar="X,Y,...",
        default="the function's own",
        panel=FUNCTION,
    ),
]
Dimensions = Annotated[
    int | None,
    _option(
        "How many coordinates a point has, from 1.",
        default="as many as --start, or 2",
        panel=FUNCTION,
    ),
]
Domain = Annotated[
    str | None,
    _option(
        "Where starts are drawn and pictures are taken: two ends for all coordinates, or two for "
        "each.",
        metavar="LOW,HIGH,...",
        default="the function's; -5,5 for your own",
        panel=FUNCTION,
    ),
]
Condition = Annotated[
    float | None, _option("λmax/λmin of quadratic, from 1.", default="100", panel=FUNCTION)
]
Rotation = Annotated[
    float | None,
    _option("Degrees by which quadratic is rotated.", default="30", panel=FUNCTION),
]
Tries = Annotated[
    int,
    _option(
        "Learning rates tried for each optimizer, from 1; the best one races.",
        panel=RATES,
    ),
]
LowestRate = Annotated[float, _option("The lowest rate tried, above 0.", panel=RATES)]
HighestRate = Annotated[
    float | None,
    _option("The highest rate tried.", default="the function's own, mostly 10", panel=RATES),
]
FinalRatio = Annotated[
    float | None,
    _option(
        "The share of α, from 0 to 1, to which it decays linearly by the last step.",
        default="no decay",
        panel=RATES,
    ),
]
Noise = Annotated[
    float,
    _option(
        "Variance of the noise that is added to each component of the gradient, from 0.",
        panel=GRADIENTS,
    ),
]
ClipNorm = Annotated[
    float | None,
    _option(
        "The bound of ‖G‖, above 0: a longer gradient is shortened to it; inf clips nothing.",
        default="the function's own, mostly inf",
        panel=GRADIENTS,
    ),
]
ClipValue = Annotated[
    float | None,
    _option(
        "The bound of each component of G, above 0; inf clips nothing.",
        default="inf",
        panel=GRADIENTS,
    ),
]
