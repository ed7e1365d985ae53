"""The sentences and the table cells of the page that shows a race."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cuesta.report.page.styles import TraceStyle
from cuesta.report.page.wording import count, number, point, share


def quartiles(found: dict[str, float | None]) -> tuple[str, str]:
    """The median, and the two quartiles in brackets."""
    if found["median"] is None:
        return "–", ""
    return number(found["median"], 3), f"{number(found['low'], 3)} … {number(found['high'], 3)}"


def rates(result: dict[str, Any]) -> str:
    """The tuned learning rate, and where it falls to."""
    last = result["final_learning_rate"]
    first = number(result["learning_rate"], 3) + ("*" if result["edge"] else "")
    return first if last is None else f"{first} → {number(last, 3)}"


def limits_of(view: dict[str, Any]) -> list[str]:
    """What is to be known of the function's lowest value, and of where J is not a number."""
    function, said = view["function"], []
    if function["lowest"] is None:
        below = f"a path arrives when it is below {number(function['goal'])}"
        said.append(f"J has no lowest value, it falls without bound; {below}.")
    elif function.get("lowest_is_known", True):
        said.append(f"Its lowest value is {number(function['lowest'], 6)}.")
    else:
        said.append(
            f"Its lowest value is not known; the lowest that was met is "
            f"{number(function['lowest'], 6)}."
        )
    missing = _missing(view["surface"])
    if missing:
        where = f"on {share(missing)}" if missing >= 0.01 else "in places"
        said.append(f"J is not a finite number {where} of the domain.")
    return said


def _missing(surface: dict[str, Any] | None) -> float:
    """The share of the drawn surface where J is not a finite number."""
    heights = [height for row in surface["z"] for height in row] if surface else [0.0]
    return sum(height is None for height in heights) / len(heights)


def settings(view: dict[str, Any]) -> str:
    """How the race was run, in plain words."""
    return " ".join(
        said for said in (_tuning(view), _starts(view), _gradients(view), _rules(view)) if said
    )


def _tuning(view: dict[str, Any]) -> str:
    kept = view["settings"]
    low, high = kept["rates"]
    return (
        f"Each optimizer runs with its own learning rate α: the best of {number(kept['tries'])} "
        f"between {number(low)} and {number(high)}, tried from "
        f"{count(kept['tuning_starts'], 'start')} that the race does not use."
    )


def _goal(goal: float | None, lowest: float | None) -> str:
    if goal is None:
        return ""
    if lowest is None:
        return f"; the goal is J below {number(goal)}"
    return f"; the goal is J within {number(goal - lowest)} of its lowest value"


def _starts(view: dict[str, Any]) -> str:
    kept, goal = view["settings"], view["function"]["goal"]
    where = f"around {point(kept['start'])}"
    around = f", within ±{100 * kept['spread']:.3g} % of the domain’s width {where}"
    until = _goal(goal, view["function"]["lowest"])
    return (
        f"All take {count(kept['steps'], 'step')} from the same {count(kept['seeds'], 'start')}"
        f"{around}{until}."
    )


def _gradients(view: dict[str, Any]) -> str:
    kept = view["settings"]
    noisy = f"carry normal noise of variance {number(kept['noise'])}" if kept["noise"] else ""
    clips = [
        f"are clipped to {what} of {number(kept[name])}"
        for name, what in (("clip_norm", "a norm"), ("clip_value", "a largest value"))
        if kept[name] is not None
    ]
    return f"Gradients {' and '.join([noisy, *clips] if noisy else clips or ['are exact'])}."


def _rules(view: dict[str, Any]) -> str:
    kept = view["settings"]
    falls = "α falls linearly over the steps" if kept["decay"] else "α is constant"
    whose = (
        "the update rules are those of the notes"
        if kept["dialect"] == "notes"
        else f"the update rules are those of {kept['dialect']}"
    )
    return f"{falls}; {whose}."


def changed_gradient(view: dict[str, Any]) -> str | None:
    """What to call the gradient that the rule used, where it is not the exact gradient."""
    kept = view["settings"]
    clipped = kept["clip_norm"] is not None or kept["clip_value"] is not None
    if kept["noise"]:
        return "G noisy, clipped" if clipped else "G with noise"
    return "G clipped" if clipped else None


def results_table(view: dict[str, Any], styles: Sequence[TraceStyle]) -> list[dict[str, Any]]:
    """The rows of the table of results, the best optimizer first."""
    return [
        {
            "place": place,
            "name": result["optimizer"],
            "style": style,
            "numbers": ", ".join(f"{name} {number(v)}" for name, v in result["numbers"].items()),
            "rates": rates(result),
            "reached": f"{result['reached']} of {view['settings']['seeds']}",
            "steps": quartiles(result["steps_to_goal"]),
            "final": quartiles(result["final"]),
            "outcome": result["outcome"].rstrip("."),
            "unclipped": (result["unclipped"] or {"outcome": ""})["outcome"].rstrip("."),
            "share": share(result["global_share"]),
        }
        for place, (result, style) in enumerate(zip(view["results"], styles, strict=True), 1)
    ]


def letter(k: int) -> str:
    """A name for the k-th minimum: A … Z, AA …."""
    return (letter(k // 26 - 1) if k >= 26 else "") + chr(ord("A") + k % 26)


def minima_table(view: dict[str, Any], most: int) -> dict[str, Any] | None:
    """Where the starts end: a row for each of the `most` minima that attract most of them.

    `shown` are the places of these minima among all, `left` the number of the others, `others` and
    `nowhere` the shares of starts that end in another minimum or in none, one for each optimizer.
    """
    results = view["results"]
    if not view["minima"] or all(result["shares"] is None for result in results):
        return None
    shares = [result["shares"] or [0.0] * len(view["minima"]) for result in results]
    attracted = [sum(of[k] for of in shares) for k in range(len(view["minima"]))]
    shown = sorted(sorted(range(len(attracted)), key=lambda k: -attracted[k])[:most])
    rows = [
        {
            "letter": letter(name),
            "minimum": view["critical_points"][view["minima"][k]],
            "shares": [share(of[k]) for of in shares],
        }
        for name, k in enumerate(shown)
    ]
    others = [share(sum(of) - sum(of[k] for k in shown)) for of in shares]
    nowhere = [share(max(0.0, 1 - sum(of))) for of in shares]
    left = len(attracted) - len(shown)
    return {"rows": rows, "shown": shown, "left": left, "others": others, "nowhere": nowhere}
