"""Formulas of the catalogue as NumPy functions.

The catalogue documents every loss and penalty by a formula in plain text, as ``1/2 (y - eta)^2``.
The tests evaluate that text, so that code and documentation are checked against each other and a
new entry needs no test code. Notation: ``^`` is a power, factors may stand side by side, ``|x|`` is
an absolute value (not nested), and the functions are those of `_FUNCTIONS`.
"""

import ast
import functools
import re

import numpy as np
from scipy import special


def _absolute(x):
    """|x|, analytic on either side of zero, so that a complex step differentiates it."""
    return np.where(np.real(x) < 0, -x, x) if np.iscomplexobj(x) else np.abs(x)


def _larger(a, b):
    """The larger by the real part; NumPy's maximum breaks ties by the imaginary one."""
    return np.where(np.real(a) < np.real(b), b, a)


def _smaller(a, b):
    return np.where(np.real(b) < np.real(a), b, a)


_FUNCTIONS = {
    "cosh": np.cosh,
    "exp": np.exp,
    "log": np.log,
    "log1p": np.log1p,
    "max": _larger,
    "min": _smaller,
    "normal_cdf": special.ndtr,
    "sqrt": np.sqrt,
    "sum_k": functools.partial(np.sum, axis=-1),
}
_TOKEN = re.compile(r"(?P<number>\d+(?:\.\d+)?)|(?P<name>[A-Za-z_]\w*)|(?P<symbol>\S)")


def evaluate(formula, **values):
    """Evaluate `formula` at arrays by name; of a sum over features, the terms."""
    return _run(_compiled(formula), values)


def term_sizes(formula, **values):
    """The sum of the absolute values of what `formula` adds and subtracts."""
    return sum(np.abs(_run(term, values)) for term in _summands(formula))


def _run(code, values):
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        return eval(code, {"__builtins__": {}, "abs": _absolute, **_FUNCTIONS}, values)


@functools.cache
def _compiled(formula):
    return compile(translate(formula), formula, "eval")


@functools.cache
def _summands(formula):
    found = []

    def split(node):
        if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub)):
            split(node.left)
            split(node.right)
        else:
            found.append(compile(ast.Expression(node), formula, "eval"))

    split(ast.parse(translate(formula), mode="eval").body)
    return found


def translate(formula):
    """Return the Python expression for a formula, without its leading sum over features."""
    out = []
    inside_bars = after_operand = False
    for match in _TOKEN.finditer(formula):
        kind, text = match.lastgroup, match.group()
        if text == "sum_j":
            continue
        opens = text == "(" or (text == "|" and not inside_bars)
        if after_operand and (opens or kind != "symbol"):
            out.append("*")
        if text == "|":
            inside_bars = not inside_bars
            text = "abs(" if opens else ")"
        out.append({"^": "**"}.get(text, text))
        after_operand = out[-1] == ")" or (kind != "symbol" and text not in _FUNCTIONS)
    return " ".join(out)
