"""A landscape that NumPy alone has made: J known at every point, to test the page on."""

import numpy as np

from cuesta.diagnose.surface import Landscape, Path

NAMES = ("sgd", "sgd, clipped", "adam")


def loss(x, y):
    return 0.01 + 0.1 * (x - 1) ** 2 + 0.4 * (y + 1) ** 2


def path(name, k, epochs, lost):
    way = np.linspace(0, 1, epochs + 1)[:, None]
    start, end = np.array([-3.0, 2.0]), np.array([1.0 - 0.3 * k, -1.0 + 0.2 * k])
    places = start + (1 - (1 - way) ** 2) * (end - start)
    places[:, 0] += 0.3 * k * np.sin(np.pi * way[:, 0])
    # A bit off the plane, so that J of the weights is not J under them.
    heights = loss(*places.T) * (1 - 0.2 * way[:, 0])
    return Path(name, places, heights, off=0.1 * (k + 1), diverged=lost)


def landscape(names=NAMES, epochs=6, lost=(), points=51):
    """Paths from (−3, 2) towards (1, −1); those whose name is in `lost` stop being finite."""
    across, along = np.linspace(-4, 3, points), np.linspace(-3, 4, points)
    return Landscape(
        across,
        along,
        loss(*np.meshgrid(across, along)),
        tuple(path(name, k, epochs, name in lost) for k, name in enumerate(names)),
        off=0.14,
        weights=2410,
        rows=1438,
    )
