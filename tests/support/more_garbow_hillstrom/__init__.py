"""The test functions of More, Garbow and Hillstrom, written from the paper's formulas.

J. J. More, B. S. Garbow, K. E. Hillstrom: Testing unconstrained optimization software. ACM TOMS 7
(1981) 17-41. All 35 problems, numbered as there; those of variable dimension come in one that the
paper uses.
"""

from support.more_garbow_hillstrom.fixed import FIXED
from support.more_garbow_hillstrom.problem import Problem
from support.more_garbow_hillstrom.scalable import SCALABLE, scaled

PROBLEMS = tuple(sorted([*FIXED, *SCALABLE], key=lambda problem: problem.number))

__all__ = ["PROBLEMS", "Problem", "scaled"]
