"""Rules of clean task types."""

import pytest

from coordination.importers.tasktypes import clean_task_type


@pytest.mark.parametrize(
    ("name", "task_type"),
    [
        ("haplotype_caller_ID0000007", "haplotype_caller"),
        ("bowtie2-build_ID0000001", "bowtie2-build"),
        ("bowtie2_ID0000003", "bowtie2"),
        ("cpuhog_forkjoin_00000010", "cpuhog_forkjoin"),
        ("NFCORE_RNASEQ:FASTQC (SRR6357070_1)", "NFCORE_RNASEQ:FASTQC"),
        ("FASTQC (sample 1) (2)", "FASTQC"),
        ("fastqc_SRR1160846_1", "fastqc"),
        ("individuals_chr21_ID0000012", "individuals"),
        ("step[3]", "step"),
        ("job-6f1c7d0e-4f0b-5d8e-9a53-2d0f6c1f9b1a", "job"),
        ("NFCORE_FETCHNGS.SRA.SRA_IDS_TO_RUNINFO", "NFCORE_FETCHNGS.SRA.SRA_IDS_TO_RUNINFO"),
        ("mProjectPP", "mProjectPP"),
        ("s3", "s3"),
        ("DescribeWorkflowExecution", "DescribeWorkflowExecution"),
        ("0007", "0007"),
        ("_7", "_7"),
        ("(only)", "(only)"),
        ("", "task"),
    ],
)
def test_index_sample_and_number_are_taken_off_and_never_everything(name: str, task_type: str) -> None:
    assert clean_task_type(name) == task_type


def test_a_type_has_at_most_128_characters() -> None:
    assert len(clean_task_type("x" * 500)) == 128
