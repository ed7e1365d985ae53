"""The same search by each peer, as its users would write it: five folds, a grid of learning rates.

Every function takes a `Work` and returns the best mean validation score. All standardize inputs
by the fold's training rows, train Adam in float32 without early stopping, select by the mean over
the folds, and refit the winner on all rows.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Work:
    """A search: rows, targets, folds and the shape of what trains."""

    x: np.ndarray
    y: np.ndarray
    folds: list[tuple[np.ndarray, np.ndarray]]
    rates: list[float]
    hidden: tuple[int, ...]
    batch: int
    epochs: int

    @property
    def classes(self) -> bool:
        """Whether the targets are class numbers."""
        return self.y.ndim == 1

    @property
    def sizes(self) -> tuple[int, ...]:
        """Layer sizes from inputs to outputs."""
        outputs = int(self.y.max()) + 1 if self.classes else self.y.shape[1]
        return (self.x.shape[1], *self.hidden, outputs)


def sklearn(work: Work) -> float:
    """GridSearchCV over MLPClassifier or MLPRegressor, two jobs."""
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.model_selection import GridSearchCV
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    warnings.simplefilter("ignore")  # that 20 epochs are no convergence is known
    how: dict[str, Any] = {
        "hidden_layer_sizes": work.hidden,
        "batch_size": work.batch,
        "max_iter": work.epochs,
        "tol": 0.0,
        "n_iter_no_change": work.epochs + 1,
        "random_state": 0,
    }
    rate = "learning_rate_init"
    if work.classes:
        model = make_pipeline(StandardScaler(), MLPClassifier(**how))
        grid, y = {f"mlpclassifier__{rate}": work.rates}, work.y
    else:
        inner = make_pipeline(StandardScaler(), MLPRegressor(**how))
        model = TransformedTargetRegressor(inner, transformer=StandardScaler())
        grid, y = {f"regressor__mlpregressor__{rate}": work.rates}, work.y[:, 0]
    search = GridSearchCV(model, grid, cv=work.folds, n_jobs=2)
    return float(search.fit(work.x.astype(np.float32), y).best_score_)


def skorch(work: Work) -> float:
    """GridSearchCV over a torch module in skorch's wrapper, two jobs."""
    import torch
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from skorch import NeuralNetClassifier, NeuralNetRegressor

    torch.set_num_threads(1)  # its workers are two processes
    how: dict[str, Any] = {
        "module": Module,
        "module__sizes": work.sizes,
        "optimizer": torch.optim.Adam,
        "max_epochs": work.epochs,
        "batch_size": work.batch,
        "train_split": None,
        "iterator_train__shuffle": True,
        "verbose": 0,
    }
    x = work.x.astype(np.float32)
    if work.classes:
        net = NeuralNetClassifier(criterion=torch.nn.CrossEntropyLoss, **how)
        model = make_pipeline(StandardScaler(), net)
        grid, y = {"neuralnetclassifier__lr": work.rates}, work.y.astype(np.int64)
    else:
        inner = make_pipeline(StandardScaler(), NeuralNetRegressor(**how))
        model = TransformedTargetRegressor(inner, transformer=StandardScaler())
        grid, y = {"regressor__neuralnetregressor__lr": work.rates}, work.y.astype(np.float32)
    search = GridSearchCV(model, grid, cv=work.folds, n_jobs=2)
    return float(search.fit(x, y).best_score_)


def Module(sizes: tuple[int, ...]) -> Any:  # noqa: N802 (skorch calls it as it would a class)
    """A multi-layer perceptron with ReLU."""
    from torch import nn

    parts: list[Any] = []
    for m, n in pairwise(sizes):
        parts += [nn.Linear(m, n), nn.ReLU()]
    return nn.Sequential(*parts[:-1])


def _scaled(work: Work, train: np.ndarray) -> tuple[Any, Any]:
    """Tensors of all rows, standardized by the training rows."""
    import torch

    mean, scale = work.x[train].mean(0), work.x[train].std(0)
    x = torch.from_numpy(((work.x - mean) / np.where(scale > 0, scale, 1)).astype(np.float32))
    if work.classes:
        return x, torch.from_numpy(work.y.astype(np.int64))
    mean, scale = work.y[train].mean(0), work.y[train].std(0)
    return x, torch.from_numpy(((work.y - mean) / scale).astype(np.float32))


def _torch_fit(work: Work, rate: float, train: np.ndarray, validation: np.ndarray) -> float:
    """One network in a hand-written loop; its validation score, higher is better."""
    import torch
    from torch import nn

    torch.set_num_threads(1)
    torch.manual_seed(0)
    x, y = _scaled(work, train)
    rows = torch.from_numpy(train)
    net = Module(work.sizes)
    loss = nn.CrossEntropyLoss() if work.classes else nn.MSELoss()
    opt = torch.optim.Adam(net.parameters(), lr=rate)
    for _ in range(work.epochs):
        for batch in rows[torch.randperm(len(rows))].split(work.batch):
            opt.zero_grad()
            loss(net(x[batch]), y[batch]).backward()
            opt.step()
    with torch.no_grad():
        out = net(x[validation])
    if work.classes:
        return float((out.argmax(1) == y[validation]).float().mean())
    return -float(((out - y[validation]) ** 2).mean())


def torch_loop(work: Work) -> float:
    """The hand-written loop on joblib, two jobs."""
    from joblib import Parallel, delayed

    pairs = [(rate, *fold) for rate in work.rates for fold in work.folds]
    scores = Parallel(2)(delayed(_torch_fit)(work, *pair) for pair in pairs)
    means = np.reshape(scores, (len(work.rates), -1)).mean(axis=1)
    everything = np.arange(len(work.x))
    _torch_fit(work, work.rates[int(means.argmax())], everything, everything[:1])
    return float(means.max())


def torch_batched(work: Work) -> float:
    """All networks in one batched product (bmm), on all threads; the refit by the loop."""
    import torch
    from torch import nn

    torch.set_num_threads(2)
    torch.manual_seed(0)
    folds, lanes = len(work.folds), len(work.folds) * len(work.rates)
    scaled = [_scaled(work, train) for train, _ in work.folds]
    rates = torch.tensor(work.rates).repeat_interleave(folds)[:, None, None]
    layers = []
    for m, n in pairwise(work.sizes):
        w = torch.empty(lanes, m, n).uniform_(-(m**-0.5), m**-0.5)
        layers.append((w.requires_grad_(), torch.zeros(lanes, 1, n, requires_grad=True)))
    params = [p for pair in layers for p in pair]
    v, f = ([torch.zeros_like(p) for p in params] for _ in range(2))

    def forward(x: Any) -> Any:
        for depth, (w, b) in enumerate(layers):
            x = torch.baddbmm(b, x, w)
            x = x if depth == len(layers) - 1 else torch.relu(x)
        return x

    loss = nn.CrossEntropyLoss(reduction="none") if work.classes else nn.MSELoss(reduction="none")
    steps, k = -(-max(len(train) for train, _ in work.folds) // work.batch), 0
    for _ in range(work.epochs):
        orders = [torch.from_numpy(np.random.permutation(train)) for train, _ in work.folds]
        for step in range(steps):
            k += 1
            part = slice(step * work.batch, (step + 1) * work.batch)
            least = min(len(order[part]) for order in orders)
            picked = [order[part][:least] for order in orders]
            x = torch.stack([s[0][i] for s, i in zip(scaled, picked, strict=True)])
            y = torch.stack([s[1][i] for s, i in zip(scaled, picked, strict=True)])
            x, y = (t.repeat(len(work.rates), *[1] * (t.ndim - 1)) for t in (x, y))
            out = forward(x)
            each = loss(out.transpose(1, 2), y) if work.classes else loss(out, y)
            grads = torch.autograd.grad(each.mean(dim=tuple(range(1, each.ndim))).sum(), params)
            with torch.no_grad():
                for p, g, a, b in zip(params, grads, v, f, strict=True):
                    a.mul_(0.9).add_(g, alpha=0.1)
                    b.mul_(0.999).addcmul_(g, g, value=0.001)
                    root = (b / (1 - 0.999**k)).sqrt_().add_(1e-8)
                    p.sub_(rates * (a / (1 - 0.9**k)) / root)
    scores = torch.empty(lanes)
    with torch.no_grad():
        for number, (_, held) in enumerate(work.folds):
            x, y = scaled[number][0][held], scaled[number][1][held]
            for lane in range(number, lanes, folds):
                out = x
                for depth, (w, b) in enumerate(layers):
                    out = out @ w[lane] + b[lane]
                    out = out if depth == len(layers) - 1 else torch.relu(out)
                hits = out.argmax(1) == y if work.classes else -((out - y) ** 2)
                scores[lane] = hits.float().mean()
    means = scores.reshape(len(work.rates), folds).mean(1)
    everything = np.arange(len(work.x))
    _torch_fit(work, work.rates[int(means.argmax())], everything, everything[:1])
    return float(means.max())


PEERS: dict[str, Callable[[Work], float]] = {
    "scikit-learn GridSearchCV, 2 jobs": sklearn,
    "skorch GridSearchCV, 2 jobs": skorch,
    "torch loop, 2 jobs": torch_loop,
    "torch batched (bmm)": torch_batched,
}
