"""Write python/thalweg/_core.pyi from the signatures that pybind11 puts into docstrings.

python cpp/bindings/make_stub.py            write the stub
python cpp/bindings/make_stub.py --check    exit with 1 where the stub differs from the module
"""

import argparse
import ast
import re
import sys
from pathlib import Path

from thalweg import _core

STUB = Path(__file__).parents[2] / "python" / "thalweg" / "_core.pyi"
HEADER = '"""Written by cpp/bindings/make_stub.py; do not edit."""'
INDENT = "    "
# Newer versions of pybind11 spell numeric arguments as protocols; int and float cover them.
NUMBERS = {"SupportsInt": "int", "SupportsFloat": "float"}


def annotation(text):
    """Return pybind11's types in the words of the stub."""
    for protocol, name in NUMBERS.items():
        text = re.sub(rf"typing\.{protocol}( \| typing\.SupportsIndex)?", name, text)
    text = re.sub(rf"\bself: {_core.__name__}\.\w+", "self", text)
    return text.replace(f"{_core.__name__}.", "")


def function(name, doc):
    """Return the stub of one function or method from its docstring."""
    signature, _, summary = doc.partition("\n")
    if not signature.startswith(f"{name}("):
        raise ValueError(f"{name}: expected a docstring that opens with its signature, got {doc!r}")
    body = f'\n{INDENT}"""{summary.strip()}"""' if summary.strip() else " ..."
    return f"def {annotation(signature)}:{body}"


def attribute(name, value):
    """Return the stub of one attribute of a class, or None where it is not public."""
    if name.startswith("_"):
        return None
    if isinstance(value, property):
        result = annotation(value.fget.__doc__.strip().rpartition(" -> ")[2])
        return f"@property\ndef {name}(self) -> {result}: ..."
    decorator = "@staticmethod\n" if isinstance(value, staticmethod) else ""
    doc = value.__func__.__doc__ if isinstance(value, staticmethod) else value.__doc__
    return decorator + function(name, doc)


def class_stub(cls):
    """Return the stub of one class, its attributes in the order of their binding."""
    parts = [f'"""{cls.__doc__}"""'] if cls.__doc__ else []
    parts += filter(None, (attribute(name, value) for name, value in vars(cls).items()))
    body = "\n\n".join(parts).replace("\n", f"\n{INDENT}").replace(f"\n{INDENT}\n", "\n\n")
    return f"class {cls.__name__}:\n{INDENT}{body}"


def stub():
    """Return the whole stub."""
    parts = []
    for name, value in sorted(vars(_core).items()):
        if isinstance(value, type):
            parts.append(class_stub(value))
        elif callable(value) and not name.startswith("_"):
            parts.append(function(name, value.__doc__))
    text = "\n\n".join(["__version__: str", *parts])
    modules = re.findall(r"(?<![\w.])(typing|collections\.abc|numpy\.typing|numpy)\.", text)
    imports = [f"import {module}" for module in sorted(set(modules))]
    text = "\n".join([HEADER, "", *imports, "", text, ""])
    ast.parse(text)
    return text


def main():
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing")
    if not parser.parse_args().check:
        STUB.write_text(stub())
    elif not STUB.exists() or STUB.read_text() != stub():
        sys.exit(f"{STUB.name} is out of date: run python cpp/bindings/make_stub.py")


if __name__ == "__main__":
    main()
