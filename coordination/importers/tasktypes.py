"""Clean task types: what is left of a recorded task's name without its index, its sample and its number.

Folding needs types: `haplotype_caller_ID0000007` and `haplotype_caller_ID0000008` are two tasks of one type.
"""

import re
from typing import Final

# Taken off the end of a name, again and again, as long as something is left.
_ENDINGS: Final = re.compile(
    r"""
    \s*\([^()]*\)                       # Nextflow: FASTQC (sample 1)
    | [_.:\-]+ID[0-9]+                  # Pegasus: merge_ID0000022
    | [_.:\-]+[0-9a-f]{8}-[0-9a-f-]{27} # a UUID
    | [_.:\-]+[A-Z]{2,4}[0-9]{4,}(_[0-9]+)?  # an accession: fastqc_SRR1160846_1
    | [_.:\-]+[0-9]+                    # an index: blastall_00000002
    | [_.:\-]+chr[0-9XYM]+              # a chromosome: individuals_chr21
    | \[[0-9]+\]                        # an index: step[3]
    """,
    re.VERBOSE,
)
MAX_TYPE: Final = 128


def clean_task_type(name: str) -> str:
    """The type of a task by its name; the name itself where nothing else would be left."""
    found = name.strip()
    while match := re.search(rf"(?:{_ENDINGS.pattern})$", found, re.VERBOSE):
        rest = found[: match.start()].rstrip("_.:- ")
        if not rest:
            break
        found = rest
    return found[:MAX_TYPE] or "task"
