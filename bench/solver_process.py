"""The parent's end of a worker: start it, ask it, kill it when it takes too long."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import tempfile
from pathlib import Path

WORKER = Path(__file__).with_name("worker.py")
START_LIMIT = 300.0  # seconds for import, load and just-in-time compilation; never measured


class SolverError(Exception):
    """The worker answered with an error, or died."""


class SolverProcess:
    """A solver that runs in a process of its own and can be stopped at any time.

    Parameters
    ----------
    key : str
        File name in `rivals/` without its ending.
    threads : int
        Threads that the solver may use.
    python : str, optional
        Interpreter; this one unless given.
    """

    def __init__(self, key: str, threads: int, python: str | None = None):
        self.key, self.threads = key, threads
        self.python = python or sys.executable
        self._process: subprocess.Popen | None = None
        self._loaded: dict | None = None
        # Open as long as this object lives: a dead worker's last words are in it.
        self._log = tempfile.TemporaryFile()  # noqa: SIM115
        self.info: dict = {}

    def start(self) -> dict:
        """Start the worker and import the solver. Returns its reply (`skip` or its version)."""
        self._spawn()
        try:
            self.info = self._ask({"op": "hello"}, START_LIMIT) or {"skip": "import took too long"}
        except SolverError as error:
            self.info = {"skip": str(error)}
        if "skip" in self.info:
            self.stop()
        return self.info

    def load(self, request: dict) -> list[str]:
        """Hand over a problem (see `worker.Session.load`) and return the configurations."""
        if self._process is None:
            self.start()
        reply = self._ask({"op": "load", **request}, START_LIMIT)
        if reply is None:
            raise SolverError("loading and warming up took too long")
        self._loaded = request
        return reply["configs"]

    def run(self, request: dict, limit: float) -> float | None:
        """Run one timed request; None if it took longer than `limit` and was killed."""
        if self._process is None and self._loaded:
            self.load(self._loaded)
        # Half a second for writing coefficients, which is not part of the measured time.
        reply = self._ask({"op": "run", **request}, limit + 0.5)
        return None if reply is None or reply["seconds"] > limit else reply["seconds"]

    def run_cold(self, request: dict, limit: float) -> float | None:
        """Run one request in a new process, counting the import of the solver."""
        fresh = SolverProcess(self.key, self.threads, self.python)
        fresh._spawn()
        try:
            fresh._ask({"op": "load", **self._loaded, "warm_up": False}, START_LIMIT)
            reply = fresh._ask({"op": "run", "cold": True, **request}, limit + 0.5)
        finally:
            fresh.stop()
        return None if reply is None else reply["seconds"]

    def stop(self) -> None:
        """End the worker."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process.stdin.close()
            self._process.stdout.close()
            self._process = None

    def _spawn(self) -> None:
        self._process = subprocess.Popen(
            [self.python, str(WORKER), self.key, str(self.threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env={**os.environ, "PYTHONWARNINGS": "ignore"},
        )

    def _ask(self, request: dict, limit: float) -> dict | None:
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            self.stop()
            raise SolverError(self._last_words()) from None
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            if not selector.select(limit):
                self.stop()
                return None
        line = self._process.stdout.readline()
        if not line:
            self.stop()
            raise SolverError(self._last_words())
        reply = json.loads(line)
        if "error" in reply:
            raise SolverError(reply["error"])
        return reply

    def _last_words(self) -> str:
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").strip().splitlines()
        return f"worker died: {lines[-1] if lines else 'no message'}"
