"""Weighted Gram matrices X'DX, the Hessians of Newton steps, beside NumPy's OpenBLAS and SciPy.

cmake --preset bench && cmake --build --preset bench --target bench_gram
python bench/gram.py                                 all cases, one and two threads
python bench/gram.py --filter 'dense_./f64' --threads 2

The cases are those of `native/bench_gram.cpp`, whose program is run by turns with NumPy, each in a
process of its own; the shortest times count. Operations are those that the symmetric result needs,
n p (p + 1), for all.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import subprocess
import sys
import time
from pathlib import Path

from environment import clean_environment, machine

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = ROOT / "build" / "bench" / "bench" / "native" / "bench_gram"
CASE = re.compile(r"(dense_f|dense_c|csc:(\d+))/(f64|f32)/n:(\d+)/p:(\d+)")


def parse(name):
    """Return storage, scalar type and shape of a case, and the entries of a sparse row."""
    storage, each, scalar, n, p = CASE.match(name).groups()
    return storage, scalar, int(n), int(p), int(each or 0)


def shortest(run, seconds=0.3, repeats=3):
    """Return the least time of several runs."""
    times = []
    while len(times) < repeats or sum(times) < seconds:
        began = time.perf_counter()
        run()
        times.append(time.perf_counter() - began)
    return min(times)


def dense_ways(storage, scalar, n, p):
    """Return ways to the matrix in NumPy, and the bare product of two matrices.

    dsyrk takes square roots of the weights, so that both factors are one array. Sums of float32
    data are float64 in Thalweg; "wide" gives the same, the others sum in float32.
    """
    import numpy as np

    dtype = {"f64": np.float64, "f32": np.float32}[scalar]
    order = storage[-1].upper()
    rng = np.random.default_rng(0)
    X = np.asarray(rng.random((n, p), dtype=dtype), order=order)
    d = rng.random((n, 1), dtype=dtype)
    root = np.sqrt(d)
    scaled, out = np.empty_like(X), np.empty((p, p), dtype=dtype)
    wide, wide_out = (
        (scaled, out)
        if scalar == "f64"
        else (
            np.empty((n, p), np.float64, order=order),
            np.empty((p, p)),
        )
    )

    def syrk(scaled=scaled, out=out):
        np.multiply(X, root, out=scaled)
        np.matmul(scaled.T, scaled, out=out)

    def gemm():
        np.multiply(X, d, out=scaled)
        np.matmul(X.T, scaled, out=out)

    def bare():
        np.matmul(X.T, scaled, out=out)

    ways = {"syrk": syrk, "gemm": gemm}
    if scalar == "f32":
        ways["wide"] = lambda: syrk(wide, wide_out)
    return ways, bare


def sparse_ways(scalar, n, p, each):
    """Return SciPy's way to the matrix."""
    import numpy as np
    from scipy import sparse

    dtype = {"f64": np.float64, "f32": np.float32}[scalar]
    rng = np.random.default_rng(0)
    edges = np.arange(each + 1) * p // each
    indices = rng.integers(edges[:-1], edges[1:], size=(n, each)).ravel()
    data = rng.random(n * each, dtype=dtype)
    X = sparse.csr_array((data, indices, np.arange(n + 1) * each), shape=(n, p)).tocsc()
    d = rng.random(n, dtype=dtype)

    def product():
        weighted = X.copy()
        weighted.data *= d[X.indices]
        return X.T @ weighted

    return {"scipy": product}


def measure(names):
    """Time NumPy and SciPy in this process."""
    result = {}
    for name in names:
        storage, scalar, n, p, each = parse(name)
        if each:
            ways, bare = sparse_ways(scalar, n, p, each), None
        else:
            ways, bare = dense_ways(storage, scalar, n, p)
        result[name] = {way: shortest(run) for way, run in ways.items()}
        if bare is not None:
            result[name]["bare"] = shortest(bare)
    return result


def theirs(names, threads):
    """Time NumPy and SciPy in a process with so many threads."""
    process = subprocess.run(
        [sys.executable, __file__, "--measure", *names],
        env=clean_environment(threads),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(process.stdout)


def ours(program, pattern, threads):
    """Run the native program; return seconds and operations of its cases."""
    process = subprocess.run(
        [
            program,
            f"--benchmark_filter={pattern}",
            "--benchmark_format=json",
            "--benchmark_min_time=0.1",
            "--benchmark_repetitions=3",
        ],
        env=clean_environment(threads),
        capture_output=True,
        text=True,
        check=True,
    )
    best = {}
    for row in json.loads(process.stdout)["benchmarks"]:
        if row["run_type"] != "iteration":
            continue
        name = CASE.match(row["name"]).group()
        seconds = row["real_time"] / 1e3
        if name not in best or seconds < best[name][0]:
            best[name] = seconds, row["flops"]
    return best


def merge(into, times):
    """Keep the shorter times."""
    for name, found in times.items():
        kept = into.setdefault(name, {})
        for way, seconds in found.items():
            kept[way] = min(seconds, kept.get(way, math.inf))


def compare(program, pattern, threads, rounds):
    """Return a row for each case."""
    own, other = {}, {}
    for _ in range(rounds):
        found = ours(program, pattern, threads)
        merge(own, {name: {"seconds": seconds} for name, (seconds, _) in found.items()})
        merge(other, theirs(list(found), threads))
    rows = []
    for name, (_, flops) in found.items():
        times, seconds = other[name], own[name]["seconds"]
        bare = times.pop("bare", None)
        way = min(times, key=times.get)
        _, _, n, p, _ = parse(name)
        rate = None if bare is None else 2.0 * n * p * p / bare
        rows.append(
            {
                "case": name,
                "threads": threads,
                "seconds": seconds,
                "gflops": flops / seconds / 1e9,
                "way": way,
                "their_seconds": times[way],
                "their_gflops": flops / times[way] / 1e9,
                "ratio": times[way] / seconds,
                "wide_ratio": times["wide"] / seconds if "wide" in times else None,
                "gemm_gflops": rate and rate / 1e9,
                "share": rate and flops / seconds / rate,
            }
        )
    return rows


def show(rows):
    """Print the table."""
    print(
        f"{'case':28}{'threads':>8}{'Thalweg':>10}{'GFlop/s':>9}{'best':>7}{'seconds':>10}"
        f"{'GFlop/s':>9}{'ratio':>7}{'wide':>7}{'gemm':>8}{'share':>7}"
    )
    for row in rows:
        cells = [f"{row['case']:28}{row['threads']:8}{row['seconds']:10.4f}{row['gflops']:9.1f}"]
        cells += [f"{row['way']:>7}{row['their_seconds']:10.4f}{row['their_gflops']:9.1f}"]
        cells += [f"{row['ratio']:7.2f}"]
        for key, width, digits in (("wide_ratio", 7, 2), ("gemm_gflops", 8, 1), ("share", 7, 2)):
            value = row[key]
            cells.append(f"{'-':>{width}}" if value is None else f"{value:{width}.{digits}f}")
        print("".join(cells))
    print(
        "ratio: the time of NumPy's or SciPy's best way over Thalweg's\n"
        "wide: that with float64 sums of float32 data\n"
        "gemm: GFlop/s of the bare product X'Y, all p^2 entries; share: Thalweg's rate over it"
    )


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--program", type=Path, default=PROGRAM, help="bench_gram as built")
    parser.add_argument("--filter", default=".", help="regular expression of cases")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=2, help="turns of both")
    parser.add_argument("--out", type=Path, help="append JSON lines to this file")
    parser.add_argument("--measure", nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(measure(arguments.measure)))
        return
    if not arguments.program.exists():
        sys.exit(f"{arguments.program} is not there: cmake --build --preset bench")
    about = machine(max(arguments.threads))
    print(json.dumps(about))
    rows = []
    for threads in arguments.threads:
        rows += compare(arguments.program, arguments.filter, threads, arguments.rounds)
    show(rows)
    if arguments.out:
        with arguments.out.open("a", encoding="utf-8") as lines:
            for record in ({"machine": about}, *rows):
                lines.write(json.dumps(record) + "\n")


if __name__ == "__main__":
    main()
