"""Compiled programs: each made once, and kept as machine code in the user's cache folder.

JAX's own persistent cache keeps compiled code too, but looks for it only after tracing and
lowering, which take longer than a small table trains. Here a program's key is what it is made
from. Where JAX's cache is in use all the same, it alone is: code that came out of it cannot be
saved again whole.
"""

from __future__ import annotations

import gc
import hashlib
import os
import platform
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import cuesta
from cuesta._util.caches import jax_keeps_programs
from cuesta._util.files import write_atomically
from cuesta.errors import RunFolderError

Tree = Any
Program = Callable[..., Any]
Arguments = tuple[Any, ...]

CPU_FLAGS = Path("/proc/cpuinfo")
SOURCES = (
    "core",
    "diagnose",
    "hyperparameters.py",
    "training/lanes.py",
    "training/planner.py",
    "training/programs.py",
)
DIGEST = 32  # bytes of SHA-256 before the code


MOST = 64  # programs kept in memory


class Loaded:
    """A program from a file; should the file not hold all of it, its first call compiles anew."""

    def __init__(self, program: Program, compiled: Callable[[], Program]) -> None:
        self._program, self._compiled = program, compiled
        self._whole = False
        self._lock = threading.Lock()

    def __call__(self, *arguments: Any) -> Tree:
        """The program's result."""
        if not self._whole:
            with self._lock:
                return self._first(arguments)
        return self._program(*arguments)

    def _first(self, arguments: Arguments) -> Tree:
        try:
            result = self._program(*arguments)
        except jax.errors.JaxRuntimeError:
            if self._whole:
                raise
            self._program = self._compiled()
            result = self._program(*arguments)
        self._whole = True
        return result


class Programs:
    """Compiled programs by what they are made from, each made once, by whoever comes first.

    The least recently used are let go beyond `MOST`: each takes dozens of a process's memory maps,
    of which a system gives some 65,000.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        self.compiled = 0  # how many were compiled here, not loaded
        self._lock = threading.Lock()
        self._locks: dict[Hashable, threading.Lock] = {}
        self._made: OrderedDict[Hashable, Program] = OrderedDict()

    def get(
        self,
        static: Hashable,
        function: Callable[..., Tree],
        arguments: Arguments,
        like: Tree,
        options: dict[str, Any],
        *,
        on_disk: bool = True,
    ) -> Program:
        """The function compiled for arguments of these shapes, from memory, disk or the compiler.

        `static` stands for all else that the function depends on; `like` has the structure of
        its result. What depends on code that no key describes is not kept `on_disk`.
        """
        key = self.key(static, arguments)
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            if key not in self._made:
                path = self._path(key) if on_disk else None
                made = self._make(path, function, arguments, like, options)
                with self._lock:
                    self._made[key] = made
                    while len(self._made) > MOST:
                        self._made.popitem(last=False)
                return made
            with self._lock:
                if key in self._made:
                    self._made.move_to_end(key)
                    return self._made[key]
        # It was let go in between.
        return self.get(static, function, arguments, like, options, on_disk=on_disk)

    def key(self, static: Hashable, arguments: Arguments) -> Hashable:
        """What tells one program from another."""
        described = jax.tree.map(
            lambda leaf: (np.shape(leaf), str(jnp.result_type(leaf))), arguments
        )
        leaves, structure = jax.tree.flatten(described)
        return (static, str(structure), tuple(leaves))

    def ready(self, static: Hashable, arguments: Arguments, *, on_disk: bool = True) -> bool:
        """Whether the program is at hand without compiling."""
        key = self.key(static, arguments)
        path = self._path(key) if on_disk else None
        return key in self._made or (path is not None and path.is_file())

    def _make(
        self,
        path: Path | None,
        function: Callable[..., Tree],
        arguments: Arguments,
        like: Tree,
        options: dict[str, Any],
    ) -> Program:
        def compiled() -> Program:
            with _no_collection():
                lowered = jax.jit(function, compiler_options=options).lower(*arguments)
            made = lowered.compile()
            self.compiled += 1
            if path is not None:
                _save(path, made)
            return made

        trees = jax.tree.structure((arguments, {})), jax.tree.structure(like)
        found = _load(path, *trees) if path is not None else None
        return compiled() if found is None else Loaded(found, compiled)

    def _path(self, key: Hashable) -> Path | None:
        if self.folder is None or jax_keeps_programs():
            return None
        about = repr((key, _surroundings(), jax.config.jax_enable_x64)).encode()  # type: ignore[attr-defined]
        return self.folder / f"{hashlib.sha256(about).hexdigest()}.bin"

    def __len__(self) -> int:
        return len(self._made)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Leave garbage for a moment.

    Tracing makes many objects that stay; to look at them again and again takes a fifth of its time.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


@cache
def _surroundings() -> tuple[str, ...]:
    """What compiled code depends on beside the program: sources, compiler, machine, flags."""
    sha = hashlib.sha256()
    root = Path(cuesta.__file__).parent
    for name in SOURCES:
        for path in sorted((root / name).glob("*.py")) or [root / name]:
            sha.update(path.read_bytes())
    device = jax.devices()[0]
    return (
        sha.hexdigest(),
        jax.__version__,
        device.client.platform_version,
        device.device_kind,
        platform.machine(),
        _cpu(),
        _optax(),
        os.environ.get("XLA_FLAGS", ""),
    )


def _optax() -> str:
    """The version of optax, whose optimizers a program may hold."""
    try:
        return version("optax")
    except PackageNotFoundError:
        return ""


def _cpu() -> str:
    """The processor's model and abilities, where the system tells."""
    try:
        lines = CPU_FLAGS.read_text().splitlines()
    except OSError:
        return platform.processor()
    return "".join(dict.fromkeys(x for x in lines if x.startswith(("model name", "flags"))))


def _load(path: Path, in_tree: Tree, out_tree: Tree) -> Program | None:
    """The program in a file that this user wrote; None if there is none, or it is damaged.

    Loading machine code is running it: so a file that others could have written is not touched.
    """
    from jax.experimental.serialize_executable import deserialize_and_load

    try:
        about = path.stat()
        if hasattr(os, "getuid") and (about.st_uid != os.getuid() or about.st_mode & 0o022):
            return None
        content = path.read_bytes()
        if hashlib.sha256(content[DIGEST:]).digest() != content[:DIGEST]:
            return None
        return deserialize_and_load(content[DIGEST:], in_tree, out_tree)
    except FileNotFoundError:
        return None
    except Exception:  # whatever another version's file makes the loader raise: compile anew
        return None


def _save(path: Path, program: Any) -> None:
    """Keep the program for later processes; a cache that cannot be written is none."""
    from jax.experimental.serialize_executable import serialize

    try:
        code = serialize(program)[0]
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        content = hashlib.sha256(code).digest() + code
        write_atomically(path, lambda beside: beside.write_bytes(content), permissions=0o600)
    except (OSError, ValueError, NotImplementedError, RunFolderError):
        return
