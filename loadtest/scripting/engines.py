"""QuickJS, compiled once a process, under a host of our own.

`quickjs-rs` brings QuickJS as a WebAssembly program and a host for it. We use the program alone: that host cannot end
a script in the middle of one long step (a regular expression, a copy of megabytes), its memory limit counts blocks and
not their sizes, and it has no answer to a stack that is used up. WebAssembly itself bounds all three from outside.
"""

import atexit
import math
import threading
import time
from functools import lru_cache
from typing import Any

from .program import module

_PER_FRAME = 2  # compiled to WebAssembly, a call of a script takes about twice the stack of native QuickJS
_TICK_S = 0.01
# What QuickJS imports beside `host_call`. It must never stop by itself, and there are no modules.
_IMPORTS = """(module
  (func (export "host_interrupt") (result i32) i32.const 0)
  (func (export "host_module_normalize") (param i32 i32 i32 i32 i32) (result i32) i32.const 0)
  (func (export "host_module_load") (param i32 i32 i32) (result i32) i32.const 0))"""

_compiling = threading.Lock()


class Engine:
    """The compiled program for one stack size, and its clock."""

    def __init__(self, stack_bytes: int) -> None:
        import wasmtime

        config = wasmtime.Config()
        config.max_wasm_stack = stack_bytes * _PER_FRAME
        config.epoch_interruption = True
        self.wasm = wasmtime.Engine(config)
        self.program = module(self.wasm)
        self.imports = wasmtime.Module(self.wasm, _IMPORTS)
        self.clock = Clock(self.wasm)


class Clock:
    """Advances the epoch of an engine by one each 10 ms of wall-clock time while a machine runs on it.

    A thread that wakes late makes up for the time it missed, so a busy machine lengthens no script.
    """

    def __init__(self, wasm: Any) -> None:
        self._wasm = wasm
        self._changed = threading.Condition()
        self._machines = self._ticks = 0
        self._started = 0.0

    def enter(self, timeout_s: float) -> int:
        """Start for one machine; returns the ticks that it may live."""
        with self._changed:
            if not self._machines:
                self._started, self._ticks = time.monotonic(), 0
                threading.Thread(target=self._run, args=(self._started,), name="script-clock", daemon=True).start()
            self._machines += 1
            return self._due() - self._ticks + math.ceil(timeout_s / _TICK_S) + 1

    def leave(self) -> None:
        with self._changed:
            self._machines -= 1
            self._changed.notify()

    def _due(self) -> int:
        return int((time.monotonic() - self._started) / _TICK_S)

    def _run(self, started: float) -> None:
        with self._changed:
            while self._machines and self._started == started:
                while self._ticks < self._due():
                    self._wasm.increment_epoch()
                    self._ticks += 1
                self._changed.wait(_TICK_S)


@lru_cache(maxsize=4)
def _engine(stack_bytes: int) -> Engine:
    return Engine(stack_bytes)


# Else they are freed when the interpreter is half gone, which their library complains about.
atexit.register(_engine.cache_clear)


def engine(stack_bytes: int) -> Engine:
    """The engine for scripts with that much stack; the first one on a machine takes a second of work."""
    with _compiling:
        return _engine(stack_bytes)
