"""A rebuild beside a live system: records a second, as a ratio to how fast ingest takes the same records in.

`python -m tests.benchmarks rebuild --records 1000000` is the large one; the default is 50,000.
"""
