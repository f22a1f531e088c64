"""All benchmarks, one after the other: `uv run python -m tests.benchmarks [NAME …] [--quick]`.

Each prints its figures beside a floor or a peer measured in the same run; most also keep them as JSON in `results/`,
with the commit they were taken at. `--quick` is the short form: it shows
that each benchmark works; its figures are rough. No benchmark fails because of a figure.
"""

import argparse
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
QUICK: Final[Mapping[str, Sequence[str]]] = {
    "eventlog": ("--records", "5000"),
    "fanout": ("--viewers", "60", "--seconds", "3", "--rounds", "1"),
    "fold": ("200",),
    "graph": ("--sizes", "100", "2000", "--repeats", "2"),
    "ingest": ("--events", "8000", "--rounds", "1"),
    "kafkalog": ("--records", "5000"),
    "peers": ("--runs", "2", "--tasks", "20"),
    "travel": ("--events", "2000", "--positions", "10"),
    "lagpoll": ("--groups", "20", "--partitions", "12", "--rounds", "3", "--members", "3"),
    "latency": ("--shapes", "embedded", "--rates", "100", "--probes", "40"),
    "pages": ("--backlog", "10000"),
}


# Installs the products of others, so only who names it gets it.
BY_NAME: Final = frozenset({"peers"})


def names() -> list[str]:
    """The benchmarks there are, by the word after `bench_`."""
    return sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))


def main() -> int:
    """Run them; returns the number of those that did not work."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of {', '.join(names())} (default: all)")
    parser.add_argument("--quick", action="store_true", help="short forms")
    options = parser.parse_args()
    unknown = set(options.names) - set(names())
    if unknown:
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}; there are {', '.join(names())}")
    broken = []
    for name in options.names or [each for each in names() if each not in BY_NAME]:
        print(f"\n== {name}", flush=True)
        extra = QUICK.get(name, ()) if options.quick else ()
        command = [sys.executable, "-m", f"tests.benchmarks.bench_{name}", *extra]
        if subprocess.run(command, check=False).returncode:
            broken.append(name)
    if broken:
        print(f"\nDid not work: {', '.join(broken)}")
    return len(broken)


if __name__ == "__main__":
    sys.exit(main())
