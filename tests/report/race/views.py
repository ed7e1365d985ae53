"""A race that NumPy alone has run: a view to test the page and the still on."""

from __future__ import annotations

import numpy as np

FORMULAS = {
    "momentum": ("N13", "V ← γV + αG;  w ← w − V", {"γ": 0.9}, 0.01),
    "adam": ("N16", "V ← ρ₁V + (1−ρ₁)G;  Δ = −(α/√F)V", {"ρ₁": 0.9, "ρ₂": 0.999}, 0.2),
    "rmsprop": ("N15", "Γ ← ρΓ + (1−ρ)G⊙G;  Δ = −(α/√Γ)⊙G", {"ρ": 0.9}, 0.05),
    "adagrad": ("N14", "F ← F + G⊙G;  Δ = −(α/√F)⊙G", {}, 0.8),
    "sgd": ("N11", "w ← w − αG", {}, 0.012),
}
SPOTS = [
    ((3.0, 2.0), "minimum", True),
    ((-2.805118, 3.131312), "minimum", True),
    ((-3.77931, -3.283186), "minimum", True),
    ((3.584428, -1.848126), "minimum", True),
    ((-0.270845, -0.923039), "maximum", False),
    ((-3.073026, -0.081353), "saddle", False),
    ((-0.127961, -1.953715), "saddle", False),
    ((0.086678, 2.884255), "saddle", False),
    ((3.385154, 0.073852), "saddle", False),
]


@np.errstate(all="ignore")  # some of these races are meant to diverge
def value(w):
    if w.shape[-1] != 2:
        return 0.5 * (w**2 * np.arange(1, w.shape[-1] + 1)).sum(-1)
    x, y = w[..., 0], w[..., 1]
    return (x * x + y - 11) ** 2 + (x + y * y - 7) ** 2


def gradient(w):
    if w.shape[-1] != 2:
        return w * np.arange(1, w.shape[-1] + 1)
    x, y = w
    a, b = x * x + y - 11, x + y * y - 7
    return np.array([4 * x * a + 2 * b, 2 * a + 4 * y * b])


def hessian(w):
    if w.shape[-1] != 2:
        return np.diag(np.arange(1.0, w.shape[-1] + 1))
    x, y = w
    cross = 4 * (x + y)
    return np.array([[12 * x * x + 4 * y - 42, cross], [cross, 4 * x + 12 * y * y - 26]])


def clip(g, most):
    norm = np.sqrt((g * g).sum())
    return g * min(1.0, most / norm) if most and norm else g


def move(name, alpha, k, g, v, f):
    """One step of the named rule: the step, V and F."""
    if name == "momentum":
        v = 0.9 * v + alpha * g
        return -v, v, f
    if name == "adagrad":
        f = f + g * g
    if name == "rmsprop":
        f = 0.9 * f + 0.1 * g * g
    if name == "adam":
        v, f = 0.9 * v + 0.1 * g, 0.999 * f + 0.001 * g * g
        return -alpha / np.sqrt(f / (1 - 0.999**k) + 1e-30) * v / (1 - 0.9**k), v, f
    return -alpha * (g if name == "sgd" else g / np.sqrt(f + 1e-30)), v, f


def verdict(first, curvature, length):
    if first > 0:
        return "uphill"
    if curvature <= 0 or length < 0.5:
        return "short"
    return "right" if length <= 1.5 else "long" if length <= 2 else "past the far wall"


@np.errstate(all="ignore")
def run(name, alpha, start, steps, most, noise=0.0):
    w, kept = np.array(start, float), []
    v, f = np.zeros_like(w), np.zeros_like(w)
    rng = np.random.default_rng(7)
    for k in range(1, steps + 2):
        g, h = gradient(w), hessian(w)
        seen = clip(g + noise**0.5 * rng.standard_normal(len(w)), most)
        delta, v, f = move(name, alpha, k, seen, v, f)
        first, bend = g @ delta, delta @ h @ delta
        curvature, length = bend / (delta @ delta), -bend / first if bend > 0 else 0.0
        actual = value(w + delta) - value(w)
        along = (alpha, actual, first, first + bend / 2, length, curvature)
        kept.append((w, value(w), g, seen, v, f, delta, along, verdict(first, curvature, length)))
        w = w + delta
    return kept


def plain(values):
    """Lists with null for what is not finite."""
    found = np.array(values, float)
    return np.where(np.isfinite(found), found, None).tolist()


def path(kept, shown, ghost):
    names = ("w", "j", "gradient", "clipped", "v", "f", "delta")
    found = {name: plain([kept[k][i] for k in shown]) for i, name in enumerate(names)}
    along = np.array([kept[k][7] for k in shown])
    for i, name in enumerate(("alpha", "actual", "first", "second", "length", "curvature")):
        found[name] = plain(along[:, i])
    found["step"], found["verdict"] = list(shown), [kept[k][8] for k in shown]
    found["ghost"] = ghost and {
        "w": plain([ghost[k][0] for k in shown]),
        "j": plain([ghost[k][1] for k in shown]),
    }
    return found


def surface(domain, count=81):
    x, y = (np.linspace(*side, count) for side in domain)
    z = value(np.stack(np.meshgrid(x, y), -1))
    return {"x": x.tolist(), "y": y.tolist(), "z": z.tolist()}


def basins(domain, optimizers, minima, count=100):
    x, y = (np.linspace(*side, count) for side in domain)
    grid = np.stack(np.meshgrid(x, y), -1)
    near = np.argmin([((grid - spot) ** 2).sum(-1) for spot in minima], axis=0)
    labels = []
    for k in range(optimizers):
        mine = np.roll(near, 4 * k, axis=1)
        mine[:2], mine[:, -2:] = -1, -2
        labels.append(mine.tolist())
    return {"x": x.tolist(), "y": y.tolist(), "labels": labels}


def result(name, kept, steps, clipping, two):
    row, formula, numbers, alpha = FORMULAS[name]
    end, final = plain(kept[steps][0]), plain([kept[steps][1]])[0]
    above = [plain([kept[k][1]])[0] for k in range(steps + 1)]
    reached = next((k for k, j in enumerate(above) if j is not None and j < 1e-8), None)
    where = "(" + ", ".join("–" if x is None else f"{x:.3g}" for x in end) + ")"
    return {
        "optimizer": name,
        "row": row,
        "formula": formula,
        "numbers": numbers,
        "learning_rate": alpha,
        "final_learning_rate": None,
        "edge": False,
        "reached": 9 if reached else 0,
        "steps_to_goal": {
            "median": reached,
            "low": reached and reached - 10,
            "high": reached and reached + 20,
        },
        "final": {"median": final, "low": final and final / 3, "high": final and final * 4},
        "end": end,
        "end_value": final,
        "outcome": f"reaches the minimum {where} at step {reached}."
        if reached
        else f"is at {where} when the steps are used up.",
        "unclipped": {
            "end": [1.0, 1.0],
            "value": 0.49,
            "reached": 2,
            "outcome": "is thrown far out: lost.",
        }
        if clipping
        else None,
        "shares": [0.4, 0.25, 0.2, 0.1] if two else None,
        "global_share": 0.95 if two else None,
    }


def view(
    dimensions=2,
    steps=300,
    shown=None,
    clip_norm=None,
    names=tuple(FORMULAS),
    rates=None,
    start=None,
    noise=0.0,
):
    """The view of a race; `rates` replaces some optimizers' learning rates."""
    rates = rates or {}
    two = dimensions == 2
    start = start or ([-0.6, -1.6] if two else [3.0] * dimensions)
    domain = [[-5.0, 5.0]] * dimensions
    shown = shown or range(steps + 1)
    runs, ghosts = [], []
    for name in names:
        alpha = rates.get(name, FORMULAS[name][3])
        runs.append(run(name, alpha, start, steps, clip_norm, noise))
        ghosts.append(clip_norm and run(name, 20 * alpha, start, steps, None))
    return {
        "function": {
            "name": "himmelblau" if two else "half_square",
            "formula": "J = (x² + y − 11)² + (x + y² − 7)²" if two else "J = ½ Σ i wᵢ²",
            "source": "Himmelblau, 1972" if two else "the notes",
            "dimensions": dimensions,
            "domain": domain,
            "lowest": 0.0,
            "lowest_is_known": True,
            "goal": 1e-8,
        },
        "settings": {
            "start": start,
            "steps": steps,
            "seeds": 9,
            "tries": 40,
            "rates": [1e-6, 10],
            "tuning_starts": 8,
            "spread": 0.05,
            "noise": noise,
            "clip_norm": clip_norm,
            "clip_value": None,
            "decay": False,
            "dialect": "notes",
            "final_ratio": None,
            "seed": 0,
        },
        "results": [
            result(name, kept, steps, bool(clip_norm), two)
            for name, kept in zip(names, runs, strict=True)
        ],
        "critical_points": [
            {
                "point": list(spot),
                "value": float(value(np.array(spot))),
                "kind": kind,
                "eigenvalues": np.linalg.eigvalsh(hessian(np.array(spot))).tolist(),
                "members": None,
                "global": best,
            }
            for spot, kind, best in (SPOTS if two else [((0.0,) * dimensions, "minimum", True)])
        ],
        "minima": list(range(4 if two else 1)),
        "paths": [path(kept, shown, ghost) for kept, ghost in zip(runs, ghosts, strict=True)],
        "surface": surface(domain) if two else None,
        "basins": basins(domain, len(names), [spot for spot, _, _ in SPOTS[:4]]) if two else None,
        "version": "0.1.0",
        "format": 1,
    }
