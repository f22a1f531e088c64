"""Apache Kafka as jars from Maven's repository: fetched once, every sum checked, kept in the cache folder."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from textwrap import dedent

from tests.services.cache import cache_folder
from tests.services.found import Found
from tests.services.java import find_java
from tests.services.missing import Missing, missing_program

VERSION = "4.3.1"
PACKAGES = ("maven",)
SUMS = Path(__file__).with_name("kafka.sha256")
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
# kafka-tools brings Kafka's command-line programs; what it needs beyond the broker's own jars is Kafka Connect's
# and a logger, which no test uses.
POM = dedent(f"""\
    <project xmlns="http://maven.apache.org/POM/4.0.0">
      <modelVersion>4.0.0</modelVersion>
      <groupId>lineside</groupId><artifactId>kafka-for-tests</artifactId><version>1</version>
      <packaging>pom</packaging>
      <dependencies>
        <dependency>
          <groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>{VERSION}</version>
        </dependency>
        <dependency>
          <groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>{VERSION}</version>
          <exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>
        </dependency>
        <dependency>
          <groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version>
        </dependency>
      </dependencies>
    </project>
    """)


def jar_folder() -> Path:
    """Where this version's jars are kept."""
    return cache_folder() / f"kafka-{VERSION}"


@cache
def find_kafka() -> Found:
    """The folder with all jars, fetched with Maven when it is not there; raises Missing."""
    folder = jar_folder()
    if not folder.is_dir():
        _fetch(folder)
    faults = jar_faults(folder)
    if faults:
        raise Missing(f"the Kafka jars in {folder} are not the expected ones, delete that folder: {faults[0]}")
    return Found("kafka", VERSION, folder)


def jar_faults(folder: Path) -> list[str]:
    """What differs from the pinned list of jars and sums, in words; empty when nothing does."""
    expected = {name: total for total, name in map(str.split, SUMS.read_text().splitlines())}
    present = {path.name for path in folder.iterdir()}
    return [
        *(f"{name} is missing" for name in sorted(expected.keys() - present)),
        *(f"{name} was not asked for" for name in sorted(present - expected.keys())),
        *(
            f"the sum of {name} is wrong"
            for name in sorted(expected.keys() & present)
            if _sha256(folder / name) != expected[name]
        ),
    ]


def _sha256(path: Path) -> str:
    with path.open("rb") as jar:
        return hashlib.file_digest(jar, "sha256").hexdigest()


def _fetch(folder: Path) -> None:
    mvn = shutil.which("mvn")
    if mvn is None:
        raise missing_program("mvn (Apache Maven)", PACKAGES, f"it fetches Apache Kafka {VERSION}")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{folder.name}-", dir=folder.parent) as work:
        jars = Path(work) / "jars"
        _run_maven(mvn, Path(work) / "pom.xml", jars)
        faults = jar_faults(jars)
        if faults:
            raise Missing(f"Maven brought other Kafka jars than expected: {', '.join(faults)}")
        _keep(jars, folder)


def _run_maven(mvn: str, pom: Path, jars: Path) -> None:
    pom.write_text(POM)
    # Maven's usual folder for downloads is in the account's home, which not every account has.
    options = [f"-Dmaven.repo.local={pom.with_name('repository')}", "-Dstyle.color=never"]
    copy = [COPY, f"-DoutputDirectory={jars}", "-DincludeScope=runtime"]
    home = find_java().path.resolve().parent.parent
    done = subprocess.run(
        [mvn, "-B", "-q", "-f", pom, *options, *copy],
        env={**os.environ, "JAVA_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        words = (done.stdout + done.stderr).strip()[-2000:]
        raise Missing(f"Maven could not fetch Apache Kafka {VERSION} (is the network there?):\n{words}")


def _keep(jars: Path, folder: Path) -> None:
    try:
        jars.replace(folder)
    except OSError:
        if not folder.is_dir():  # else another run was quicker, and what it kept is checked like ours
            raise
