"""The command line: arguments, printing, exit codes. Heavy imports wait until a command runs."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from cuesta.errors import CuestaError

INTERRUPTED = 130

app = typer.Typer(
    help="From a table to a tested neural network: every candidate trained on every fold at "
    "once, one honest test number at the end.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)

TABLE_HELP = (
    "A CSV, TSV, Parquet or Arrow file, or a bundled data set: breast_cancer, digits, diabetes, "
    "iris, wine, linnerud."
)


def _version(wanted: bool) -> None:
    if wanted:
        from cuesta import __version__

        typer.echo(f"cuesta {__version__}")
        raise typer.Exit


@app.callback()
def main_options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Options before any command."""


@app.command()
def fit(
    table: Annotated[str, typer.Argument(help=TABLE_HELP, metavar="TABLE")],
    target: Annotated[
        list[str] | None,
        typer.Option(
            help="The column to predict; again for a regression with several. Bundled data sets "
            "bring their own."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="The run's folder. [default: TABLE's name + .cuesta]", metavar="DIR"),
    ] = None,
    task: Annotated[str, typer.Option(help="auto, classification or regression.")] = "auto",
    metric: Annotated[
        str,
        typer.Option(
            help="What selects: log_loss, accuracy or balanced_accuracy for classes (the last also "
            "weighs classes in training so that each counts the same), rmse for numbers. "
            "[default: log_loss, rmse]"
        ),
    ] = "auto",
    folds: Annotated[int, typer.Option(help="K of the K-fold cross-validation.")] = 5,
    candidates: Annotated[int, typer.Option(help="How many candidates to try.")] = 64,
    epochs: Annotated[
        int, typer.Option(help="At most so many epochs; how many are used is chosen too.")
    ] = 50,
    space: Annotated[
        Path | None,
        typer.Option(help="A search space to use instead of the default.", metavar="FILE.toml"),
    ] = None,
    sampler: Annotated[
        str,
        typer.Option(
            help="random (evenly spread), grid (every combination of a space's lists) or tpe "
            "(waves that learn from each other)."
        ),
    ] = "random",
    test_size: Annotated[float, typer.Option(help="The share of rows sealed for the test.")] = 0.2,
    test: Annotated[
        Path | None,
        typer.Option(
            help="A table of its own for the test, with the same columns; then all rows of TABLE "
            "train and validate.",
            metavar="TABLE",
        ),
    ] = None,
    header: Annotated[
        bool,
        typer.Option(
            "--header/--no-header",
            help="Whether the first line names the columns; else they are named 0, 1, 2, …",
        ),
    ] = True,
    columns: Annotated[
        list[str] | None,
        typer.Option(
            help="What a column is, where the guess is wrong: NAME=number, boolean, category, date "
            "(or date:%d/%m/%Y), time or drop. May be given again.",
            metavar="NAME=KIND",
        ),
    ] = None,
    protocol: Annotated[
        str,
        typer.Option(
            help="kfold, repeated (three times), grouped (with --groups), ordered (rows stand in "
            "time order) or single (one split)."
        ),
    ] = "kfold",
    groups: Annotated[
        str | None,
        typer.Option(help="A column whose rows of one value stay together.", metavar="COLUMN"),
    ] = None,
    drop: Annotated[
        list[str] | None,
        typer.Option(help="A column to leave out; may be given again.", metavar="COLUMN"),
    ] = None,
    seed: Annotated[int, typer.Option(help="The seed of all that is random.")] = 0,
    threads: Annotated[
        int | None, typer.Option(help="Threads that train. [default: one a core]")
    ] = None,
    halving: Annotated[
        bool,
        typer.Option(
            "--halving",
            help="Stop candidates that are behind: all train for a ninth of the epochs, the better "
            "third of them for a third, the better third of those to the end.",
        ),
    ] = False,
    precision: Annotated[
        str | None,
        typer.Option(
            help="float32, or bfloat16 for the products: quicker where the processor has units "
            "for it. [default: float32]"
        ),
    ] = None,
    instruments: Annotated[
        str,
        typer.Option(
            help="How closely the winner's last training is watched for `cuesta doctor`: off, "
            "economy or full (the Hessian too)."
        ),
    ] = "economy",
    json_: Annotated[
        bool, typer.Option("--json", help="Print the result as JSON, and nothing else.")
    ] = False,
) -> None:
    """Choose a network for TABLE by cross-validation, refit it, and test it once.

    Writes model.safetensors, candidates.csv and result.json to the run's folder, and keeps each
    finished chunk there: after an interrupt the same command goes on where it stopped.

    Examples:
      cuesta fit breast_cancer

      cuesta fit houses.csv --target price --candidates 128 --out houses

      cuesta fit train.csv --no-header --target 14 --test test.csv --columns 3=category
    """

    def run() -> None:
        from rich.console import Console

        from cuesta.data.columns import parse_kinds
        from cuesta.data.table import read_table
        from cuesta.pipeline import Listener
        from cuesta.pipeline import fit as run_fit
        from cuesta.report.terminal import TerminalListener, show_result
        from cuesta.result import summary, to_json
        from cuesta.search.space import read_space
        from cuesta.task import Options

        read = read_table(table, header=header)
        test_table = read_table(str(test), header=header) if test else None
        options = Options(
            target=tuple(target or ()),
            task=task,
            metric=metric,
            folds=folds,
            protocol=protocol,
            groups=groups,
            drop=tuple(drop or ()),
            candidates=candidates,
            epochs=epochs,
            space=read_space(str(space)) if space else None,
            sampler=sampler,
            test_size=test_size,
            seed=seed,
            threads=threads,
            columns=parse_kinds(columns or ()),
            halving=halving,
            precision=precision,
            instruments=instruments,
        )
        folder = out or Path(f"{read.name}.cuesta")
        console = Console()
        listener = Listener() if json_ else TerminalListener(console)
        try:
            result = run_fit(read, options, folder, listener, test=test_table)
        finally:
            listener.finished()
        if json_:
            typer.echo(to_json(summary(result, options)))
        else:
            show_result(console, result, str(folder))

    _guarded(run, interrupted="Interrupted; finished chunks are kept: the same command goes on.")


@app.command()
def predict(
    model: Annotated[
        Path, typer.Argument(help="A run's folder, or a model.safetensors.", metavar="DIR")
    ],
    table: Annotated[
        str,
        typer.Argument(help="New rows: columns in any order, others ignored.", metavar="TABLE"),
    ],
    out: Annotated[
        Path | None,
        typer.Option(help="A CSV file for the predictions. [default: print]", metavar="FILE"),
    ] = None,
    header: Annotated[
        bool,
        typer.Option("--header/--no-header", help="Whether the first line names the columns."),
    ] = True,
) -> None:
    """Predict the rows of TABLE with a fitted model, as CSV.

    Classes come with a column p_CLASS for the probability of each. Categories that training
    never saw and missing values are taken as they come.
    """

    def run() -> None:
        from cuesta.data.table import read_table
        from cuesta.files import write_text
        from cuesta.model import load_model

        path = model / "model.safetensors" if model.is_dir() else model
        text = load_model(path).predict(read_table(table, header=header).frame).write_csv()
        if out is None:
            sys.stdout.write(text)
            sys.stdout.flush()
        else:
            write_text(out, text)

    _guarded(run, interrupted="Interrupted.")


@app.command()
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

    def run() -> None:
        from rich.console import Console

        from cuesta.diagnose.notebook import read_diagnosis
        from cuesta.report.diagnosis import plain_diagnosis, show_diagnosis

        diagnosis = read_diagnosis(run_folder)
        if json_:
            import json

            typer.echo(json.dumps(plain_diagnosis(diagnosis), allow_nan=False))
        else:
            show_diagnosis(Console(), diagnosis)

    _guarded(run, interrupted="Interrupted.")


@app.command()
def surface(
    table: Annotated[str, typer.Argument(help=TABLE_HELP, metavar="TABLE")],
    target: Annotated[str | None, typer.Option(help="The column to predict.")] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="The page. [default: surface-TABLE.html]", metavar="PAGE.html"),
    ] = None,
    optimizers: Annotated[
        str,
        typer.Option(
            help="Whose paths: sgd, momentum, adagrad, rmsprop, adam; 'clipped' for SGD's."
        ),
    ] = "sgd,clipped,momentum,adagrad,rmsprop,adam",
    hidden: Annotated[str, typer.Option(help="Hidden layers, as 64,32.")] = "32",
    epochs: Annotated[int, typer.Option(help="Epochs of each path.")] = 20,
    seed: Annotated[int, typer.Option(help="The seed of all that is random.")] = 0,
    header: Annotated[
        bool,
        typer.Option("--header/--no-header", help="Whether the first line names the columns."),
    ] = True,
    columns: Annotated[
        list[str] | None,
        typer.Option(help="What a column is, as `cuesta fit` has it.", metavar="NAME=KIND"),
    ] = None,
) -> None:
    """Map the loss J of a network for TABLE, and the paths of several optimizers on it.

    Writes one page that works offline: the plane that holds most of the paths, J on it, and what
    share of the paths is off it.

    For example:

      cuesta surface digits --hidden 32,32
    """

    def run() -> None:
        from rich.console import Console

        from cuesta.data.columns import parse_kinds
        from cuesta.data.table import read_table
        from cuesta.diagnose.surface import WAYS, landscape
        from cuesta.errors import SpecError
        from cuesta.files import check_writable, write_text
        from cuesta.report.surface_page import render
        from cuesta.search.fits import Recipe, Rows
        from cuesta.search.plan import this_machine
        from cuesta.search.run import Cut
        from cuesta.spec import Candidate, check_choice, check_count, loss_of
        from cuesta.task import Options, prepare

        named = [name.strip() for name in optimizers.split(",") if name.strip()]
        for name in named:
            check_choice("the optimizer", name, ("clipped", *(w for w in WAYS if "," not in w)))
        try:
            sizes = tuple(int(size) for size in hidden.split(",") if size.strip())
        except ValueError:
            raise SpecError(f"hidden must be sizes with commas between, not {hidden!r}.") from None
        read = read_table(table, header=header)
        page = out or Path(f"surface-{read.name}.html")
        check_writable(page)
        named_target, kinds = ((target,) if target else ()), parse_kinds(columns or ())
        task = prepare(read, Options(target=named_target, columns=kinds, seed=seed))
        candidate = Candidate(hidden_layer_sizes=sizes)
        recipe = Recipe(
            candidate,
            loss_of(candidate, task.target.task),
            task.target.outputs,
            check_count("epochs", epochs, 10_000),
            seed,
        )
        ways = {n: WAYS[n] for n in ("sgd, clipped" if n == "clipped" else n for n in named)}
        seen = landscape(recipe, Rows(task.x, task.y, None), ways, Cut(this_machine()))
        write_text(page, render(seen, read.name))
        console = Console()
        for path in seen.paths:
            lost = ", then lost" if path.diverged else ""
            console.print(
                f"{path.name:<13} J {path.heights[0]:.4g} → {path.heights[-1]:.4g}{lost} · "
                f"{path.off:.0%} of its way off the plane",
                highlight=False,
            )
        console.print(
            f"{seen.off:.0%} of all is off the plane · written to {page}", highlight=False
        )

    _guarded(run, interrupted="Interrupted; nothing was written.")


@app.command()
def compare(
    one: Annotated[
        str, typer.Argument(help="An optimizer and its dialect, as adam:torch.", metavar="ONE")
    ],
    other: Annotated[str, typer.Argument(help="Another, as adam:keras.", metavar="OTHER")],
    stream: Annotated[
        str,
        typer.Option(help="The gradients: random, sparse, zeros, or a function that `race` knows."),
    ] = "random",
    steps: Annotated[int, typer.Option(help="How many steps to take.")] = 1000,
    learning_rate: Annotated[float, typer.Option(help="α of the first step.")] = 0.01,
    final_learning_rate: Annotated[
        float | None, typer.Option(help="α of the last step. [default: constant]")
    ] = None,
    seed: Annotated[int, typer.Option(help="The seed of random gradients.")] = 0,
    json_: Annotated[
        bool, typer.Option("--json", help="Print the comparison as JSON, and nothing else.")
    ] = False,
) -> None:
    """Say where two optimizers part, by how much, and which convention is the cause.

    Optimizers: sgd, momentum, adagrad, rmsprop, adam. Dialects: notes, torch, optax, keras.

    For example:

      cuesta compare adam:torch adam:keras

      cuesta compare momentum:notes momentum:torch --final-learning-rate 0.0001
    """

    def run() -> None:
        from rich.console import Console

        from cuesta.compare import compare as run_compare
        from cuesta.report.comparison import plain, show_comparison

        found = run_compare(
            one,
            other,
            stream,
            steps=steps,
            learning_rate=learning_rate,
            final_learning_rate=final_learning_rate,
            seed=seed,
        )
        if json_:
            import json

            typer.echo(json.dumps(plain(found), indent=2))
        else:
            show_comparison(Console(), found)

    _guarded(run, interrupted="Interrupted.")


FUNCTION_HELP = (
    "half_square, quadratic, ravine, rosenbrock, beale, himmelblau, rastrigin, ackley, saddle, "
    "monkey_saddle, cliff; or your own as package.module:function, from a point (n,) to a number, "
    "written with jax.numpy."
)


@app.command()
def race(
    function: Annotated[str, typer.Argument(help=FUNCTION_HELP, metavar="FUNCTION")],
    optimizers: Annotated[
        str, typer.Option(help="Who races, with commas between.", metavar="NAMES")
    ] = "sgd,momentum,adagrad,rmsprop,adam",
    out: Annotated[
        Path | None,
        typer.Option(help="The page. [default: race-FUNCTION.html]", metavar="PAGE.html"),
    ] = None,
    png: Annotated[
        Path | None, typer.Option(help="A still picture too.", metavar="PICTURE.png")
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(
            help="Where to start, as -1.2,1. [default: the function's]", metavar="X,Y,..."
        ),
    ] = None,
    dimensions: Annotated[
        int | None, typer.Option(help="How many coordinates. [default: the start's, or 2]")
    ] = None,
    domain: Annotated[
        str | None,
        typer.Option(help="LOW,HIGH of your own function. [default: -5,5]", metavar="LOW,HIGH"),
    ] = None,
    condition: Annotated[
        float | None, typer.Option(help="λmax/λmin of the quadratic. [default: 100]")
    ] = None,
    rotation: Annotated[
        float | None,
        typer.Option(help="By how many degrees the quadratic is turned. [default: 30]"),
    ] = None,
    dialect: Annotated[
        str, typer.Option(help="notes, torch, optax or keras: whose form of the rules.")
    ] = "notes",
    steps: Annotated[int, typer.Option(help="Steps of each path.")] = 2000,
    seeds: Annotated[int, typer.Option(help="How many starts, close to the given one.")] = 9,
    tries: Annotated[int, typer.Option(help="Learning rates tried for each optimizer.")] = 40,
    lowest_rate: Annotated[float, typer.Option(help="The least α that is tried.")] = 1e-5,
    highest_rate: Annotated[
        float | None, typer.Option(help="The largest. [default: the function's, mostly 10]")
    ] = None,
    noise: Annotated[
        float, typer.Option(help="Variance of the noise on each component of the gradient.")
    ] = 0.0,
    clip_norm: Annotated[
        float | None, typer.Option(help="Bound of ‖G‖; inf for none. [default: the function's]")
    ] = None,
    clip_value: Annotated[
        float | None, typer.Option(help="Bound of each component of G. [default: none]")
    ] = None,
    final_ratio: Annotated[
        float | None,
        typer.Option(help="Decay α linearly to this share of it. [default: constant]"),
    ] = None,
    seed: Annotated[int, typer.Option(help="The seed of all that is random.")] = 0,
    basins: Annotated[
        bool, typer.Option(help="Also see where 10,000 starts of the whole domain end.")
    ] = True,
    json_: Annotated[
        bool, typer.Option("--json", help="Print the numbers as JSON, and nothing else.")
    ] = False,
) -> None:
    """Race optimizers on a function, each with its own tuned learning rate, and see the paths.

    Writes one page that works offline: the paths on the surface, J against steps, and for every
    step what the rule did, what Taylor's expansion foresaw and what came.

    For example:

      cuesta race himmelblau

      cuesta race cliff --optimizers sgd,adam --png cliff.png

      cuesta race mine:bowl --start 1,2,3 --domain -4,4
    """

    def run() -> None:
        from rich.console import Console

        from cuesta.files import check_writable, write_text
        from cuesta.report.race_page import render
        from cuesta.report.race_still import still
        from cuesta.report.race_terminal import RaceProgress, show_race
        from cuesta.report.race_view import numbers, view

        first = _numbers("start", start)
        shape = {
            name: value
            for name, value in (("condition", condition), ("rotation", rotation))
            if value is not None
        }
        page = out or Path(f"race-{function.rpartition(':')[2]}.html")
        for path in (page, png):
            if path is not None:
                check_writable(path)
        from cuesta.caches import use_compilation_cache
        from cuesta.lab.own import find
        from cuesta.lab.race import race as run_race
        from cuesta.lab.terms import Terms

        use_compilation_cache()
        size = dimensions or (len(first) if first else 2)
        chosen = find(function, size, _numbers("domain", domain), **shape)
        terms = Terms(
            optimizers=tuple(name.strip() for name in optimizers.split(",") if name.strip()),
            dialect=dialect,
            steps=steps,
            seeds=seeds,
            tries=tries,
            lowest_rate=lowest_rate,
            highest_rate=highest_rate,
            noise=noise,
            clip_norm=_bound(chosen.clip_norm if clip_norm is None else clip_norm),
            clip_value=_bound(clip_value),
            final_ratio=final_ratio,
            seed=seed,
            basins=basins,
        )
        console = Console()
        with RaceProgress(Console(stderr=True) if json_ else console) as progress:
            seen = view(run_race(chosen, terms, first, progress.watch))
        write_text(page, render(seen))
        if png is not None:
            still(seen, png)
        if json_:
            import json

            typer.echo(json.dumps(numbers(seen), allow_nan=False))
        else:
            show_race(console, seen, str(page))

    _guarded(run, interrupted="Interrupted; nothing was written.")


def _numbers(name: str, text: str | None) -> list[float] | None:
    """Numbers with commas between. Raises SpecError."""
    from cuesta.errors import SpecError

    if text is None:
        return None
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise SpecError(f"{name} must be numbers with commas between, not {text!r}.") from None


def _bound(value: float | None) -> float | None:
    """A clipping bound, of which ∞ is none."""
    return None if value == float("inf") else value


def _guarded(run: Callable[[], None], interrupted: str) -> None:
    """Run; errors of ours become a sentence and an exit code, never a traceback."""
    try:
        run()
    except CuestaError as error:
        typer.echo(f"cuesta: {error}", err=True)
        raise typer.Exit(error.exit_code) from None
    except MemoryError:
        typer.echo("cuesta: There is not enough memory for this; take smaller layers.", err=True)
        raise typer.Exit(CuestaError.exit_code) from None
    except KeyboardInterrupt:
        typer.echo(interrupted, err=True)
        raise typer.Exit(INTERRUPTED) from None
    except BrokenPipeError:
        # The reader of our output left: nothing more to say, and no complaint at exit.
        _silence()
        raise typer.Exit(1) from None
    except OSError as error:
        typer.echo(f"cuesta: The system refuses: {error.strerror or error}.", err=True)
        _silence()
        raise typer.Exit(CuestaError.exit_code) from None


def _silence() -> None:
    """Point standard output nowhere, so that flushing it at exit cannot fail."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def main() -> None:
    """The entry point of the `cuesta` command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without Greek letters still shows all
    app()
