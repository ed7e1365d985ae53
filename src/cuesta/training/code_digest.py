"""A digest of all that a function's result depends on, by which it is known in another process.

It covers the function's bytecode with its constants, names and nested functions, its defaults and
closures, and the values of the global names that it reads, followed into the user's own modules.
Of an installed package it holds the name and version.
"""

from __future__ import annotations

import dis
import functools
import hashlib
import sys
import sysconfig
import types
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import cuesta

# What a class holds beside what its methods do.
NOT_READ = {"__annotations__", "__dict__", "__doc__", "__firstlineno__", "__module__",
            "__orig_bases__", "__static_attributes__", "__weakref__"}  # fmt: skip
PLAIN = (bool, int, float, complex, str, bytes, type(None), type(...))
INSTALLED = (
    Path(cuesta.__file__).resolve().parent,
    *(
        Path(path).resolve()
        for name in ("stdlib", "platstdlib", "purelib", "platlib")
        if (path := sysconfig.get_path(name))
    ),
)


FIELDS = (
    types.GetSetDescriptorType,
    types.MemberDescriptorType,
    type(NamedTuple("One", [("field", int)]).field),  # type: ignore[attr-defined]
)


class UntellableError(Exception):
    """A value of which no digest can tell all."""


def code_digest(function: Any) -> str | None:
    """The digest, in hexadecimal, or None where the function depends on what none can tell."""
    try:
        return hashlib.sha256(_Teller().tell(function).encode()).hexdigest()
    except Exception:  # whatever a value of the user's own may raise when it is looked at
        return None


@functools.cache
def package_version(name: str) -> str:
    """The version of an installed package, or its module's own; empty where there is none."""
    try:
        return version(name)
    except PackageNotFoundError:
        return str(getattr(sys.modules.get(name), "__version__", ""))


class _Teller:
    """Writes values down, each object once: what comes again is told by the place of its first."""

    def __init__(self) -> None:
        self._places: dict[int, int] = {}
        self._alive: list[Any] = []  # so that no number of an object is given to another

    def tell(self, value: Any) -> str:
        """The value in a text that is the same in every process."""
        if type(value) in PLAIN:
            return f"{type(value).__name__} {value!r}"
        # Which constants are one object differs between code from a cache and from its source.
        if type(value) in (tuple, frozenset, types.CodeType):
            return f"{type(value).__name__}({self._object(value)})"
        if id(value) in self._places:
            return f"again {self._places[id(value)]}"
        self._places[id(value)] = len(self._places)
        self._alive.append(value)
        return f"{type(value).__qualname__}({self._object(value)})"

    def _all(self, *values: Any) -> str:
        return ", ".join(map(self.tell, values))

    def _object(self, value: Any) -> str:
        ways: tuple[tuple[Any, Callable[[Any], str]], ...] = (
            (types.ModuleType, self._module),
            (types.BuiltinFunctionType, self._builtin),
            ((types.FunctionType, type), self._named),
            (types.MethodType, lambda v: self._all(v.__func__, v.__self__)),
            (functools.partial, lambda v: self._all(v.func, v.args, v.keywords)),
            (types.CodeType, self._code),
            ((tuple, list), self._sequence),
            ((set, frozenset), lambda v: ", ".join(sorted(_Teller().tell(each) for each in v))),
            (dict, lambda v: self._all(*[each for item in v.items() for each in item])),
            ((np.ndarray, np.generic), _array),
            (property, lambda v: self._all(v.fget)),
            ((staticmethod, classmethod), lambda v: self._all(v.__func__)),
        )
        tell = next((tell for kinds, tell in ways if isinstance(value, kinds)), self._instance)
        return tell(value)

    def _sequence(self, value: Any) -> str:
        plain = type(value) in (tuple, list)
        return self._all(*([] if plain else [type(value)]), *value)

    def _instance(self, value: Any) -> str:
        if _is_of_jax(value):
            return _array(np.asarray(value))
        if hasattr(value, "__wrapped__"):  # a function in a wrapper, as of jax.jit
            return self._all(type(value), value.__wrapped__)
        if hasattr(value, "__dict__"):
            return self._all(type(value), vars(value))
        raise UntellableError

    def _builtin(self, value: Any) -> str:
        """A function written in C, and what it is bound to."""
        owner = value.__self__
        bound = "" if isinstance(owner, types.ModuleType | type | None) else self.tell(owner)
        return f"{value.__module__}.{value.__qualname__} {bound}"

    def _named(self, value: Any) -> str:
        """A function or a class: of an installed package by its name, else by what it is."""
        module = sys.modules.get(value.__module__ or "")
        where = f"{value.__module__}.{value.__qualname__}"
        if _is_installed(module):
            return f"{where} {_version_of(module)}"
        if isinstance(value, types.FunctionType):
            return f"{where} {self._function(value)}"
        own = [f"{name}={self._attribute(each)}" for name, each in sorted(vars(value).items())
               if name not in NOT_READ]  # fmt: skip
        return f"{where} {self._all(*value.__bases__)} {own}"

    def _attribute(self, value: Any) -> str:
        """What stands in a class; what Python makes of its fields tells only their names."""
        if isinstance(value, FIELDS):
            return ""
        return self.tell(value)

    def _function(self, value: types.FunctionType) -> str:
        cells = []
        for cell in value.__closure__ or ():
            try:
                cells.append(self.tell(cell.cell_contents))
            except ValueError:  # not yet filled
                cells.append("empty")
        names, held = _names(value.__code__), value.__globals__
        reads = [f"{n}={self._read(held[n], names)}" for n in sorted(names & held.keys())]
        reads += [self._read(import_module(name), names) for name in _imported(value.__code__)]
        defaults = self._all(value.__defaults__, value.__kwdefaults__)
        return f"{self.tell(value.__code__)} {defaults} {cells} {reads}"

    def _read(self, value: Any, names: set[str]) -> str:
        """A global value; of a module of the user's own what the function can read of it."""
        if not isinstance(value, types.ModuleType) or _is_installed(value):
            return self.tell(value)
        held = vars(value)
        read = {name: self.tell(held[name]) for name in sorted(names & held.keys())}
        return f"{value.__name__} {read}"

    def _module(self, value: types.ModuleType) -> str:
        if not _is_installed(value):
            raise UntellableError  # a module as a value: anything of it may be read
        return f"{value.__name__} {_version_of(value)}"

    def _code(self, code: types.CodeType) -> str:
        return self._all(
            code.co_code,
            code.co_consts,
            code.co_names,
            code.co_varnames,
            code.co_freevars,
            code.co_cellvars,
            code.co_argcount,
            code.co_kwonlyargcount,
            code.co_flags,
            getattr(code, "co_exceptiontable", b""),
        )


def _is_of_jax(value: Any) -> bool:
    return type(value).__module__.partition(".")[0] in ("jax", "jaxlib") and hasattr(value, "dtype")


def _array(values: np.ndarray) -> str:
    if values.dtype.hasobject:
        raise UntellableError
    content = hashlib.sha256(values.tobytes()).hexdigest()
    return f"{values.dtype.str} {values.shape} {content}"


def _inside(code: types.CodeType) -> Iterator[types.CodeType]:
    """The code of a function, and of all that are defined in it."""
    yield code
    for each in code.co_consts:
        if isinstance(each, types.CodeType):
            yield from _inside(each)


def _names(code: types.CodeType) -> set[str]:
    """The names that a function reads."""
    return {name for each in _inside(code) for name in each.co_names}


def _imported(code: types.CodeType) -> list[str]:
    """The modules that a function imports."""
    steps = (step for each in _inside(code) for step in dis.get_instructions(each))
    return sorted({step.argval for step in steps if step.opname == "IMPORT_NAME"})


def _is_installed(module: types.ModuleType | None) -> bool:
    """Whether a module is Python's or an installed package's, rather than of the user's own."""
    if module is None:
        return False
    if module.__name__.partition(".")[0] in sys.stdlib_module_names - {"__main__"}:
        return True
    file = getattr(module, "__file__", None)
    return file is not None and any(map(Path(file).resolve().is_relative_to, INSTALLED))


def _version_of(module: types.ModuleType | None) -> str:
    return package_version(module.__name__.partition(".")[0]) if module is not None else ""
