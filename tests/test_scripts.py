"""Scripts: whatever a module or a page asks for is there. A browser would tell, but only on the page that asks."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = sorted((ROOT / "static" / "js").rglob("*.js"))
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
IMPORT = re.compile(r"""(?:from|import)\s*\(?\s*["'](\.[^"']+)["']""")
STATIC = re.compile(r"""{%\s*static\s+["']([^"']+)["']\s*%}""")
FROM_WHEELS = ("django_htmx/", "lineside/plotly", "plotly")


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_imports_what_is_there(module: Path) -> None:
    missing = [name for name in IMPORT.findall(module.read_text()) if not (module.parent / name).resolve().is_file()]
    assert missing == []


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_page_loads_what_is_there(template: Path) -> None:
    names = [name for name in STATIC.findall(template.read_text()) if not name.startswith(FROM_WHEELS)]
    assert [name for name in names if not (ROOT / "static" / name).is_file()] == []
