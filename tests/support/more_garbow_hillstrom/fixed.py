"""Problems 1 to 19: those of fixed dimension, and those with data."""

import numpy as np

from support.more_garbow_hillstrom.problem import Problem, columns, quiet

FIXED = []


def numbers(text):
    """Data of the paper."""
    return np.array(text.split(), dtype=np.float64)


def problem(number, name, start, *minima):
    """Register a function that returns residuals and Jacobian."""

    def register(function):
        point = np.array(start, dtype=np.float64)
        FIXED.append(
            Problem(
                number,
                f"{name}_{point.size}",
                point,
                quiet(lambda x: function(*x), 0),
                quiet(lambda x: function(*x), 1),
                minima,
            )
        )
        return function

    return register


@problem(1, "rosenbrock", [-1.2, 1.0], 0.0)
def rosenbrock(x1, x2):
    r = np.array([10 * (x2 - x1**2), 1 - x1])
    return r, np.array([[-20 * x1, 10], [-1, 0]])


@problem(2, "freudenstein_roth", [0.5, -2.0], 0.0, 48.9842536792)
def freudenstein_roth(x1, x2):
    r = np.array([-13 + x1 + ((5 - x2) * x2 - 2) * x2, -29 + x1 + ((x2 + 1) * x2 - 14) * x2])
    return r, np.array([[1, 10 * x2 - 3 * x2**2 - 2], [1, 3 * x2**2 + 2 * x2 - 14]])


@problem(3, "powell_badly_scaled", [0.0, 1.0], 0.0)
def powell_badly_scaled(x1, x2):
    r = np.array([1e4 * x1 * x2 - 1, np.exp(-x1) + np.exp(-x2) - 1.0001])
    return r, np.array([[1e4 * x2, 1e4 * x1], [-np.exp(-x1), -np.exp(-x2)]])


@problem(4, "brown_badly_scaled", [1.0, 1.0], 0.0)
def brown_badly_scaled(x1, x2):
    return np.array([x1 - 1e6, x2 - 2e-6, x1 * x2 - 2]), np.array([[1, 0], [0, 1], [x2, x1]])


@problem(5, "beale", [1.0, 1.0], 0.0)
def beale(x1, x2):
    i = np.arange(1, 4)
    r = np.array([1.5, 2.25, 2.625]) - x1 * (1 - x2**i)
    return r, columns(-(1 - x2**i), x1 * i * x2 ** (i - 1))


@problem(6, "jennrich_sampson", [0.3, 0.4], 124.362182356)
def jennrich_sampson(x1, x2):
    i = np.arange(1, 11)
    a, b = np.exp(i * x1), np.exp(i * x2)
    return 2 + 2 * i - (a + b), columns(-i * a, -i * b)


@problem(7, "helical_valley", [-1.0, 0.0, 0.0], 0.0)
def helical_valley(x1, x2, x3):
    theta = np.arctan(x2 / x1) / (2 * np.pi) + (0.5 if x1.real < 0 else 0.0)
    square = x1**2 + x2**2
    radius = np.sqrt(square)
    r = np.array([10 * (x3 - 10 * theta), 10 * (radius - 1), x3])
    jacobian = [
        [50 / np.pi * x2 / square, -50 / np.pi * x1 / square, 10],
        [10 * x1 / radius, 10 * x2 / radius, 0],
        [0, 0, 1],
    ]
    return r, np.array(jacobian)


BARD = numbers("0.14 0.18 0.22 0.25 0.29 0.32 0.35 0.39 0.37 0.58 0.73 0.96 1.34 2.10 4.39")


@problem(8, "bard", [1.0, 1.0, 1.0], 8.21487730657e-3, 17.4286933333)
def bard(x1, x2, x3):
    u = np.arange(1, 16)
    v, w = 16 - u, np.minimum(u, 16 - u)
    below = v * x2 + w * x3
    return BARD - (x1 + u / below), columns(-1.0, u * v / below**2, u * w / below**2)


GAUSSIAN = numbers("0.0009 0.0044 0.0175 0.0540 0.1295 0.2420 0.3521 0.3989")
GAUSSIAN = np.concatenate([GAUSSIAN, GAUSSIAN[-2::-1]])


@problem(9, "gaussian", [0.4, 1.0, 0.0], 1.12793276962e-8)
def gaussian(x1, x2, x3):
    d = (8 - np.arange(1, 16)) / 2 - x3
    e = np.exp(-x2 * d**2 / 2)
    return x1 * e - GAUSSIAN, columns(e, -x1 * e * d**2 / 2, x1 * e * x2 * d)


MEYER = numbers(
    "34780 28610 23650 19630 16370 13720 11540 9744 8261 7030 6005 5147 4427 3820 3307 2872"
)


@problem(10, "meyer", [0.02, 4000.0, 250.0], 87.9458551736)
def meyer(x1, x2, x3):
    t = 45 + 5 * np.arange(1, 17) + x3
    e = np.exp(x2 / t)
    return x1 * e - MEYER, columns(e, x1 * e / t, -x1 * e * x2 / t**2)


@problem(11, "gulf", [5.0, 2.5, 0.15], 0.0)
def gulf(x1, x2, x3):
    t = np.arange(1, 100) / 100
    d = 25 + (-50 * np.log(t)) ** (2 / 3) - x2
    distance = d * np.sign(d.real)
    power = distance**x3
    e = np.exp(-power / x1)
    jacobian = columns(
        e * power / x1**2, e * x3 * power / (d * x1), -e * power * np.log(distance) / x1
    )
    return e - t, jacobian


@problem(12, "box", [0.0, 10.0, 20.0], 0.0)
def box(x1, x2, x3):
    t = 0.1 * np.arange(1, 11)
    a, b, c = np.exp(-t * x1), np.exp(-t * x2), np.exp(-t) - np.exp(-10 * t)
    return a - b - x3 * c, columns(-t * a, t * b, -c)


@problem(13, "powell_singular", [3.0, -1.0, 0.0, 1.0], 0.0)
def powell_singular(x1, x2, x3, x4):
    a, b = x2 - 2 * x3, x1 - x4
    r = np.array([x1 + 10 * x2, np.sqrt(5) * (x3 - x4), a**2, np.sqrt(10) * b**2])
    jacobian = [
        [1, 10, 0, 0],
        [0, 0, np.sqrt(5), -np.sqrt(5)],
        [0, 2 * a, -4 * a, 0],
        [2 * np.sqrt(10) * b, 0, 0, -2 * np.sqrt(10) * b],
    ]
    return r, np.array(jacobian)


@problem(14, "wood", [-3.0, -1.0, -3.0, -1.0], 0.0)
def wood(x1, x2, x3, x4):
    s, t = np.sqrt(90), np.sqrt(10)
    r = [10 * (x2 - x1**2), 1 - x1, s * (x4 - x3**2), 1 - x3, t * (x2 + x4 - 2), (x2 - x4) / t]
    jacobian = [
        [-20 * x1, 10, 0, 0],
        [-1, 0, 0, 0],
        [0, 0, -2 * s * x3, s],
        [0, 0, -1, 0],
        [0, t, 0, t],
        [0, 1 / t, 0, -1 / t],
    ]
    return np.array(r), np.array(jacobian)


KOWALIK = numbers("0.1957 0.1947 0.1735 0.1600 0.0844 0.0627 0.0456 0.0342 0.0323 0.0235 0.0246")
KOWALIK_U = numbers("4 2 1 0.5 0.25 0.1670 0.1250 0.1000 0.0833 0.0714 0.0625")


@problem(15, "kowalik_osborne", [0.25, 0.39, 0.415, 0.39], 3.07505603849e-4, 1.02734e-3)
def kowalik_osborne(x1, x2, x3, x4):
    u = KOWALIK_U
    above, below = u**2 + u * x2, u**2 + u * x3 + x4
    share = x1 * above / below
    jacobian = columns(-above / below, -x1 * u / below, share * u / below, share / below)
    return KOWALIK - share, jacobian


@problem(16, "brown_dennis", [25.0, 5.0, -5.0, -1.0], 85822.2016264)
def brown_dennis(x1, x2, x3, x4):
    t = np.arange(1, 21) / 5
    a, b = x1 + t * x2 - np.exp(t), x3 + x4 * np.sin(t) - np.cos(t)
    return a**2 + b**2, columns(2 * a, 2 * a * t, 2 * b, 2 * b * np.sin(t))


OSBORNE_1 = numbers(
    "0.844 0.908 0.932 0.936 0.925 0.908 0.881 0.850 0.818 0.784 0.751 0.718 0.685 0.658 0.628 "
    "0.603 0.580 0.558 0.538 0.522 0.506 0.490 0.478 0.467 0.457 0.448 0.438 0.431 0.424 0.420 "
    "0.414 0.411 0.406"
)


@problem(17, "osborne_1", [0.5, 1.5, -1.0, 0.01, 0.02], 5.46489469748e-5)
def osborne_1(x1, x2, x3, x4, x5):
    t = 10.0 * np.arange(33)
    a, b = np.exp(-t * x4), np.exp(-t * x5)
    return OSBORNE_1 - (x1 + x2 * a + x3 * b), columns(-1.0, -a, -b, x2 * t * a, x3 * t * b)


@problem(18, "biggs", [1.0, 2.0, 1.0, 1.0, 1.0, 1.0], 0.0, 5.65564992546e-3)
def biggs(x1, x2, x3, x4, x5, x6):
    t = 0.1 * np.arange(1, 14)
    y = np.exp(-t) - 5 * np.exp(-10 * t) + 3 * np.exp(-4 * t)
    a, b, c = np.exp(-t * x1), np.exp(-t * x2), np.exp(-t * x5)
    jacobian = columns(-t * x3 * a, t * x4 * b, a, -b, -t * x6 * c, c)
    return x3 * a - x4 * b + x6 * c - y, jacobian


OSBORNE_2 = numbers(
    "1.366 1.191 1.112 1.013 0.991 0.885 0.831 0.847 0.786 0.725 0.746 0.679 0.608 0.655 0.616 "
    "0.606 0.602 0.626 0.651 0.724 0.649 0.649 0.694 0.644 0.624 0.661 0.612 0.558 0.533 0.495 "
    "0.500 0.423 0.395 0.375 0.372 0.391 0.396 0.405 0.428 0.429 0.523 0.562 0.607 0.653 0.672 "
    "0.708 0.633 0.668 0.645 0.632 0.591 0.559 0.597 0.625 0.739 0.710 0.729 0.720 0.636 0.581 "
    "0.428 0.292 0.162 0.098 0.054"
)


@problem(
    19,
    "osborne_2",
    [1.3, 0.65, 0.65, 0.7, 0.6, 3.0, 5.0, 7.0, 2.0, 4.5, 5.5],
    4.01377362935e-2,
)
def osborne_2(*x):
    t = np.arange(65) / 10
    first = np.exp(-t * x[4])
    r = OSBORNE_2 - x[0] * first
    heights, rates, centres = [-first], [x[0] * t * first], []
    for height, rate, centre in zip(x[1:4], x[5:8], x[8:11], strict=True):
        d = t - centre
        bump = np.exp(-rate * d**2)
        r = r - height * bump
        heights.append(-bump)
        rates.append(height * d**2 * bump)
        centres.append(-2 * height * rate * d * bump)
    return r, columns(*heights, *rates, *centres)
