"""The environment that benchmarks run in: threads, hidden BLAS settings, and what the machine is.

Nothing here imports NumPy at module level: thread counts must be set before it is loaded.
"""

from __future__ import annotations

import os
import platform
import sys
import threading
import time
from pathlib import Path

# These two change which OpenBLAS kernels run, so a result under them would not be reproducible.
HIDDEN_SETTINGS = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
THREAD_SETTINGS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
)


def clean_environment(threads: int) -> dict[str, str]:
    """Return this process's environment with `threads` threads and no hidden BLAS settings."""
    env = {key: value for key, value in os.environ.items() if key not in HIDDEN_SETTINGS}
    env.update(dict.fromkeys(THREAD_SETTINGS, str(threads)))
    return env


def ensure_clean_environment(threads: int) -> None:
    """Start this program again under `clean_environment(threads)` unless it already runs so."""
    env = clean_environment(threads)
    if env != dict(os.environ):
        os.execve(sys.executable, [sys.executable, *sys.argv], env)


def cpu_model() -> str:
    """Return the processor's name as the system reports it."""
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8") as lines:
            for line in lines:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def copy_bandwidth(threads: int, megabytes: int = 256, repeats: int = 5) -> float:
    """Return the best measured copy bandwidth in GB/s, bytes read plus bytes written.

    Each of `threads` threads copies its own share; NumPy releases the GIL during the copy.
    """
    import numpy as np

    size = megabytes * 2**20 // 8 // threads
    pairs = [(np.ones(size), np.zeros(size)) for _ in range(threads)]
    best = float("inf")
    for _ in range(repeats):
        workers = [threading.Thread(target=np.copyto, args=(b, a)) for a, b in pairs]
        start = time.perf_counter()
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        best = min(best, time.perf_counter() - start)
    return 2 * 8 * size * threads / best / 1e9


def machine(threads: int) -> dict[str, object]:
    """Describe the machine and interpreter for the record."""
    return {
        "cpu": cpu_model(),
        "cpus": os.cpu_count(),
        "copy_gb_per_s": round(copy_bandwidth(threads), 2),
        "load_average": os.getloadavg()[0],
        "threads": threads,
        "system": platform.platform(),
        "python": platform.python_version(),
        "time": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
    }
