"""Checks of scalar parameters against short rules, with one wording for every error.

A rule is text, written as the catalogue writes intervals:

    "[0, inf)"            a real number in the interval
    "int [1, inf)"        an integer in the interval
    "bool"                True or False
    "{cyclic, random}"    one of these strings
    "array"               an array-like, checked further where it is used
    "seed"                None, an integer in [0, 2**63), a RandomState or a Generator
    "A or B or None"      any of several rules
"""

import functools
import math
import numbers
import re

import numpy as np

_INTERVAL = re.compile(r"(int )?([\[(])\s*([^,]+),\s*([^\])]+)([\])])")


class ParameterError(ValueError, TypeError):
    """A parameter has a value or a type that it cannot take.

    Both a `ValueError` and a `TypeError`, as scikit-learn's own error for this is, because a
    value outside an interval and a value of the wrong type are told apart by nobody who catches.
    """


def check(owner, values, rules):
    """Raise `ParameterError` for the first of `values` that breaks its rule.

    Parameters
    ----------
    owner : str
        Function or class named in the message.
    values : dict of str to object
        Parameters by name.
    rules : dict of str to str
        Rules by name, in the notation of this module; a name without a rule is not checked.
    """
    for name, rule in rules.items():
        if not _accepts(rule)(values[name]):
            raise ParameterError(
                f"The {name!r} parameter of {owner} must be {_describe(rule)}. "
                f"Got {_show(values[name])} instead."
            )


def _show(value):
    """Text of a value, for a message; of a number of many digits only how large it is."""
    if isinstance(value, numbers.Integral) and abs(value) >= 10**40:
        return f"an integer of {int(value).bit_length()} bits"
    return repr(value)


@functools.cache
def _accepts(rule):
    # None first: it is the default nearly everywhere that it is allowed, and the quickest test.
    tests = [_test(option) for option in sorted(rule.split(" or "), key="None".__ne__)]
    if len(tests) == 1:
        return tests[0]

    def any_of(value):
        for test in tests:  # noqa: SIM110 (a generator takes longer than most tests)
            if test(value):
                return True
        return False

    return any_of


def _test(option):
    if option == "None":
        return lambda value: value is None
    if option == "bool":
        return lambda value: isinstance(value, (bool, np.bool_))
    if option == "array":
        # NumPy's scalars have __array__ too.
        return lambda value: (
            not isinstance(value, np.generic)
            and (hasattr(value, "__array__") or isinstance(value, (list, tuple, range)))
        )
    if option == "seed":
        integer = _test("int [0, inf)")
        drawn_from = (np.random.RandomState, np.random.Generator)
        return lambda value: value is None or isinstance(value, drawn_from) or integer(value)
    if option.startswith("{"):
        names = choices(option)
        return lambda value: isinstance(value, str) and value in names
    integral, left, low, high, right = _INTERVAL.fullmatch(option).groups()
    kind = numbers.Integral if integral else numbers.Real
    usual = (int,) if integral else (float, int)  # instances of abstract types are slow to tell
    low, high = float(low), float(high)
    if integral and math.isinf(high):
        high = 2.0**63  # what the core can count

    def in_interval(value):
        if type(value) not in usual and (
            not isinstance(value, kind) or isinstance(value, (bool, np.bool_))
        ):
            return False
        try:
            value = int(value) if integral else float(value)
        except OverflowError:  # an integer or a fraction beyond the largest float
            return False
        return (low <= value if left == "[" else low < value) and (
            value <= high if right == "]" else value < high
        )

    return in_interval


def _describe(rule):
    texts = []
    for option in rule.split(" or "):
        if option.startswith("int "):
            texts.append(f"an integer in {option[4:]}")
        elif option[0] in "[(":
            texts.append(f"a number in {option}")
        elif option.startswith("{"):
            texts.append(f"one of {', '.join(map(repr, choices(option)))}")
        else:
            texts.append({"bool": "True or False", "array": "array-like"}.get(option, option))
    return " or ".join(texts).replace(
        "seed", "None, an integer in [0, 2**63), a RandomState or a Generator"
    )


def choices(rule):
    """Strings that the rule ``"{a, b}"`` allows."""
    return tuple(part.strip() for part in rule.strip("{}").split(","))


def seed_from(random_state):
    """Turn `random_state` into the integer seed that the core takes; None means 0.

    Parameters
    ----------
    random_state : None, int, RandomState or Generator
        As the rule "seed" allows. None gives the seed 0, so that repeated fits agree bit for bit.

    Returns
    -------
    int
        Seed in [0, 2**63).
    """
    if random_state is None:
        return 0
    if isinstance(random_state, numbers.Integral):
        return int(random_state)
    draw = getattr(random_state, "integers", None) or random_state.randint
    return int(draw(2**31 - 1))
