"""Sphinx settings: python -m sphinx -W -b html docs docs/_build/html."""

import sys
from pathlib import Path

import thalweg

sys.path.insert(0, str(Path(__file__).parent))

project = "Thalweg"
author = "The Thalweg developers"
copyright = author  # noqa: A001 (Sphinx's name)
version = release = thalweg.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "numpydoc",
    "myst_parser",
    "reference",
]
myst_enable_extensions = ["dollarmath", "deflist"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
default_role = "py:obj"
html_theme = "alabaster"
html_theme_options = {"description": thalweg.__doc__.splitlines()[0], "fixed_sidebar": True}

autodoc_member_order = "bysource"
numpydoc_show_class_members = False
