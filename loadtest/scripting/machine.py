"""One QuickJS in a WebAssembly memory of its own: made for one script, gone after it."""

import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .engines import engine

_PAGE = 1 << 16
_OWN_BYTES = 2 << 20  # what QuickJS and the prelude take of the memory before a script runs
_NEAR = 256 << 10  # so little memory left means that it is used up
_OK, _THROWN = 0, 1

# wasmtime keeps host functions in a list of the process that it does not guard.
_wiring = threading.Lock()


class Stopped(Exception):
    """A limit ended the machine: `limit` is "time", "memory" or "stack"."""

    def __init__(self, limit: str) -> None:
        super().__init__(limit)
        self.limit = limit


class Fault(Exception):
    """The program in the machine answered in a way that it never should."""


@dataclass(frozen=True)
class Image:
    """The memory of a machine at rest, from which others begin. Handles mean the same in all of them."""

    memory: bytearray
    stack_pointer: int


class Machine:
    """`host(text)` is what the script's side may call as `__host`, with one text, for a text or None."""

    def __init__(
        self,
        *,
        timeout_ms: int,
        memory_bytes: int,
        stack_bytes: int,
        host: Callable[[str], str | None],
        image: Image | None = None,
    ) -> None:
        import wasmtime

        self._engine = engine(stack_bytes)
        self._host = host
        self._most_bytes = memory_bytes + _OWN_BYTES
        self._stopped: str | None = None
        self._failure: Exception | None = None
        self._deadline = time.monotonic() + timeout_ms / 1000
        self._store = wasmtime.Store(self._engine.wasm)
        self._store.set_wasi(wasmtime.WasiConfig())  # no files, no environment, no output
        self._store.set_limits(memory_size=self._most_bytes)
        self._store.set_epoch_deadline(self._engine.clock.enter(timeout_ms / 1000))
        try:
            with _wiring:
                self._exports = self._wired(wasmtime)
            self._memory = self._exports["memory"]
            self._begin(image)
        except BaseException:
            self.close()
            raise

    def _wired(self, wasmtime: Any) -> Any:
        linker = wasmtime.Linker(self._engine.wasm)
        linker.define_wasi()
        linker.define_instance(self._store, "env", wasmtime.Instance(self._store, self._engine.imports, []))
        i32 = wasmtime.ValType.i32
        kind = wasmtime.FuncType([i32()] * 5, [i32()])
        linker.define(self._store, "env", "host_call", wasmtime.Func(self._store, kind, self._called))
        return linker.instantiate(self._store, self._engine.program).exports(self._store)

    def _begin(self, image: Image | None) -> None:
        if image:
            missing = len(image.memory) - self._memory.data_len(self._store)
            self._memory.grow(self._store, max(0, missing) // _PAGE)
            self._memory.write(self._store, image.memory)
            self._exports["__stack_pointer"].set_value(self._store, image.stack_pointer)
            return
        # Its own limits count blocks, not bytes, and throw what a script can catch: ours are around it.
        self._call("set_memory_limit", 0x7FFFFFFF)
        self._call("set_max_stack_size", 0)
        self._install("__host")

    def close(self) -> None:
        self._engine.clock.leave()
        with _wiring:
            self._store.close()

    # --- what a sandbox asks for

    def image(self) -> Image:
        size = self._memory.data_len(self._store)
        stack_pointer = self._exports["__stack_pointer"].value(self._store)
        return Image(bytearray(self._read(0, size)), stack_pointer)

    def evaluate(self, source: str) -> int:
        """Run source text; returns a handle on its value. Raises Stopped, Fault."""
        return self._answer("eval_code", *self._bytes(source))

    def member(self, handle: int, name: str) -> int:
        return self._answer("get_prop", handle, *self._bytes(name))

    def call(self, function: int, *texts: str) -> None:
        """Call a function with texts. Raises Stopped, Fault; what a script throws must not get here."""
        handles = [self._string(text) for text in texts]
        arguments = self._write(struct.pack(f"<{len(handles)}i", *handles)) if handles else 0
        self._answer("call_function", function, self._call("new_undefined"), arguments, len(handles))

    def drain(self) -> None:
        """Run what promises have left to do."""
        self._call("execute_pending_jobs")
        self.check()

    def check(self) -> None:
        """Raise Stopped when a limit was passed, also if the script has caught its first sign."""
        if self._stopped is None and self._memory.data_len(self._store) > self._most_bytes - _NEAR:
            self._stopped = "memory"
        if self._stopped is None and time.monotonic() > self._deadline:
            self._stopped = "time"
        if self._stopped:
            raise Stopped(self._stopped)

    def stop(self, limit: str) -> None:
        """From inside `host`: end the machine at its next step, which nothing in it can catch."""
        self._stopped = self._stopped or limit
        self._store.set_epoch_deadline(0)

    # --- the program's own conventions: pointers, lengths, handles

    def _call(self, name: str, *arguments: int) -> Any:
        import wasmtime

        try:
            return self._exports[name](self._store, *arguments)
        except wasmtime.Trap as trap:
            if self._failure:
                raise self._failure from None
            raise Stopped(self._stopped or _LIMITS.get(trap.trap_code.name, "memory")) from None

    def _answer(self, name: str, *arguments: int) -> int:
        out = self._call("qjs_alloc", 4)
        status = self._call(name, *arguments, out)
        self.check()
        if status != _OK:
            raise Fault(f"{name} answered {status}{self._thrown(out) if status == _THROWN else ''}")
        return self._number(out)

    def _thrown(self, out: int) -> str:
        self._call("last_exception", out)
        self._call("get_prop", self._number(out), *self._bytes("message"), out)
        return f": {self._text(self._number(out))}"

    def _number(self, pointer: int) -> int:
        return int(struct.unpack("<i", self._read(pointer, 4))[0])

    def _read(self, pointer: int, length: int) -> bytes:
        if pointer < 0 or length < 0 or pointer + length > self._memory.data_len(self._store):
            raise Fault("a pointer leads out of the memory")
        return bytes(self._memory.read(self._store, pointer, pointer + length))

    def _write(self, data: bytes) -> int:
        pointer = self._call("qjs_alloc", len(data))
        if data and not pointer:
            raise Stopped("memory")
        self._memory.write(self._store, data, pointer)
        return int(pointer)

    def _bytes(self, text: str) -> tuple[int, int]:
        data = text.encode(errors="replace")
        return self._write(data), len(data)

    def _string(self, text: str) -> int:
        where = self._bytes(text)
        handle = self._call("new_string", *where)
        self._call("qjs_free", *where)
        return int(handle)

    def _text(self, handle: int) -> str:
        if self._call("get_string", handle) != _OK:
            raise Fault("a value is no text")
        data = self._read(self._call("qjs_last_ptr"), self._call("qjs_last_len"))
        self._call("qjs_result_free")
        return data.decode(errors="replace")

    def _install(self, name: str) -> None:
        where = self._bytes(name)
        function = self._call("new_function", *where)
        self._call("set_prop", self._call("global_object"), *where, function)

    def _called(self, _name: int, _length: int, _this: int, count: int, values: int) -> int:
        """The one import with a Python side. It must not raise: wasmtime keeps the last error for the whole process."""
        try:
            self.check()
            answer = self._host(self._text(self._number(values))) if count else None
            return self._string(answer) if answer is not None else int(self._call("new_undefined"))
        except Stopped as stopped:
            self.stop(stopped.limit)
        except Exception as error:  # noqa: BLE001  raised again once the machine has ended
            self._failure = error
            self.stop("memory")
        return 0


_LIMITS = {"INTERRUPT": "time", "STACK_OVERFLOW": "stack", "MEMORY_OUT_OF_BOUNDS": "stack"}
