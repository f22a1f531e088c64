"""`python -m tests.services.install`: find or install every program the tests need, one line for each."""

import sys
from collections.abc import Callable

from tests.services import apt
from tests.services.chromium import find_chromium
from tests.services.found import Found
from tests.services.java import find_java
from tests.services.kafka_jars import find_kafka
from tests.services.missing import Missing
from tests.services.postgres import find_postgres
from tests.services.redis import find_redis

# Java before Kafka: Maven, which fetches Kafka, needs it.
FINDERS: tuple[Callable[[], Found], ...] = (
    find_java,
    find_kafka,
    find_postgres,
    find_redis,
    find_chromium,
)


def missing_packages() -> tuple[str, ...]:
    """Debian packages that bring what is not here, in a fixed order."""
    packages: dict[str, None] = {}
    for find in FINDERS:
        try:
            find()
        except Missing as missing:
            packages.update(dict.fromkeys(missing.packages))
    return tuple(packages)


def report() -> bool:
    """Print one line per program; False when one is missing."""
    complete = True
    for find in FINDERS:
        try:
            print(find())
        except Missing as missing:
            print(f"missing: {missing}", file=sys.stderr)
            complete = False
    return complete


def main() -> int:
    """Install what is missing where we may, then say what there is; 0 when everything is."""
    packages = missing_packages()
    if packages and apt.can_install():
        print(f"installing Debian packages: {' '.join(packages)}")
        try:
            apt.install(packages)
        except Missing as missing:
            print(missing, file=sys.stderr)
    return 0 if report() else 1


if __name__ == "__main__":
    sys.exit(main())
