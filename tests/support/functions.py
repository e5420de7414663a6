"""What tests of `minimize` minimize, and what goes wrong in it."""


class TroubleError(Exception):
    """An error of the user's own."""


def sphere(x, centre=0.0, scale=1.0):
    """Return ``scale * |x - centre|^2``."""
    return scale * ((x - centre) ** 2).sum()


def sphere_der(x, centre=0.0, scale=1.0):
    """Return the gradient of `sphere`."""
    return 2 * scale * (x - centre)
