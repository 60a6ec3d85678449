"""Placeholders for libraries that a peer imports but does not use in what is measured here.

`torchvision` cannot be installed beside this torch: torchgeo and rastervision import it for image folders, drawing and
nets. A placeholder can be made and does nothing: whatever is measured must not need one (checksums are compared).
"""

import importlib.abc
import importlib.machinery
import importlib.util
import sys
import types


class Absent(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds modules of the named libraries, in which every name is a class that does nothing."""

    def __init__(self, *libraries):
        self.libraries = libraries

    def find_spec(self, name, path=None, target=None):  # noqa: ARG002 - the protocol of finders
        known = any(name == one or name.startswith(f"{one}.") for one in self.libraries)
        return importlib.machinery.ModuleSpec(name, self, is_package=True) if known else None

    def create_module(self, spec):
        return types.ModuleType(spec.name)

    def exec_module(self, module):
        def placeholder(name):
            if name.startswith("__"):
                raise AttributeError(name)
            return type(name, (), {"__init__": lambda *_, **__: None})

        module.__getattr__ = placeholder


def pretend(*libraries):
    """Let `import` of these libraries succeed where they are not installed."""
    missing = [name for name in libraries if importlib.util.find_spec(name) is None]
    sys.meta_path.insert(0, Absent(*missing))
