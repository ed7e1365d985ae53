"""The folder where compiled code is kept for the next run."""

from __future__ import annotations

from pathlib import Path

from platformdirs import user_cache_path


def cache_folder() -> Path:
    """Our place among the user's caches: on Linux `cuesta` in XDG_CACHE_HOME or in ~/.cache."""
    return user_cache_path("cuesta", appauthor=False)


def use_compilation_cache() -> None:
    """Have JAX keep what it compiles there, unless it was told of another place."""
    import jax

    if jax.config.values["jax_compilation_cache_dir"] is None:
        settings = {
            "jax_compilation_cache_dir": str(cache_folder() / "jax"),
            "jax_persistent_cache_min_compile_time_secs": 0.1,
            "jax_persistent_cache_min_entry_size_bytes": 0,
        }
        for name, value in settings.items():
            jax.config.update(name, value)  # type: ignore[no-untyped-call]


def jax_keeps_programs() -> bool:
    """Whether JAX's own persistent cache is in use."""
    import jax

    used = jax.config.values["jax_enable_compilation_cache"]
    return bool(used) and jax.config.values["jax_compilation_cache_dir"] is not None
