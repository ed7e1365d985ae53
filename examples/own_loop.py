"""The optimizers in a training loop of your own.

You see the Rosenbrock function at the start and after 2,000 steps of each optimizer, from the same
point. Each follows optax's protocol, so it also works in a loop that was written for optax.
"""

import jax
import jax.numpy as jnp

from cuesta import optim, schedule


def rosenbrock(params: dict[str, jax.Array]) -> jax.Array:
    """(1 − x)² + 100 (y − x²)²: 0 at (1, 1), at the end of a narrow curved valley."""
    x, y = params["x"], params["y"]
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2


OPTIMIZERS = {
    "sgd": optim.sgd(5e-4),
    "momentum": optim.momentum(5e-4, 0.9),
    "adagrad": optim.adagrad(0.3),
    "rmsprop": optim.rmsprop(schedule.linear(1e-2, 1e-5, 2_000)),
    "adam": optim.adam(schedule.warm_up(50, schedule.cosine(5e-2, 1e-4, 1_950))),
}
START = {"x": jnp.array(-1.5), "y": jnp.array(2.0)}

print(f"{'start':<10}{rosenbrock(START):.3g}")
for name, optimizer in OPTIMIZERS.items():

    def step(_, carry, optimizer=optimizer):  # noqa: ANN001, ANN201, D103
        params, state = carry
        updates, state = optimizer.update(jax.grad(rosenbrock)(params), state, params)
        return jax.tree.map(jnp.add, params, updates), state

    params, _ = jax.lax.fori_loop(0, 2_000, step, (START, optimizer.init(START)))
    print(f"{name:<10}{rosenbrock(params):.3g}  at ({params['x']:.3f}, {params['y']:.3f})")
