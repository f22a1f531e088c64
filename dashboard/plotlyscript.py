"""Plotly's script, straight out of the installed Python package: no second copy, no content network."""

from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.contrib.staticfiles.finders import BaseFinder
from django.core.files.storage import FileSystemStorage, Storage

FILE = "plotly.min.js"


class PlotlyFinder(BaseFinder):
    """Offers one static file, `plotly.min.js`."""

    def __init__(self, app_names: Any = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._folder = _package_data()
        self._storage = FileSystemStorage(location=self._folder)

    def find(self, path: str, find_all: bool = False) -> Any:
        """The absolute path if `plotly.min.js` is asked for, else nothing; a list of it with `find_all`."""
        found = [str(self._folder / FILE)] if path == FILE else []
        return found if find_all else next(iter(found), None)

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterable[tuple[str, Storage]]:
        """The one file and the storage it lies in."""
        yield FILE, self._storage


def _package_data() -> Path:
    # Found without importing: the package takes a quarter of a second, and only charts need it.
    package = find_spec("plotly")
    if package is None or package.origin is None:
        raise FileNotFoundError("the package plotly is not installed")
    return Path(package.origin).parent / "package_data"
