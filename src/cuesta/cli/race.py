"""Race optimizers on a function."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cuesta.cli.base import Seed, guarded, print_json

FUNCTION_HELP = (
    "half_square, quadratic, ravine, rosenbrock, beale, himmelblau, rastrigin, ackley, saddle, "
    "monkey_saddle, cliff; or your own as package.module:function, from a point (n,) to a number, "
    "written with jax.numpy."
)


@guarded("Interrupted; nothing was written.")
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
    seed: Seed = 0,
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
    from rich.console import Console

    from cuesta._util.files import check_writable, write_text
    from cuesta.report.race.page import render
    from cuesta.report.race.still import still
    from cuesta.report.race.terminal import RaceProgress, show_race
    from cuesta.report.race.view import numbers, view

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
    from cuesta._util.caches import use_compilation_cache
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
        print_json(numbers(seen))
    else:
        show_race(console, seen, str(page))


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
