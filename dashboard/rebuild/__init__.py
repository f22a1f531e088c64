"""Rebuild: the stored records folded again into fresh tables, which then take the place of the live ones.

`stored` reads the records in the order in which they were folded live, `fresh` keeps the tables beside the live
ones, `refolding` folds into them, `shards` takes the pen out of the workers' hands for the moment of the swap,
`rebuild` puts these together. Only rows that follow from the log are touched: votes, decisions, approvals and the
audit trail are none.
"""

from dashboard.rebuild.rebuild import NotSwapped, Rebuilt, rebuild

__all__ = ["NotSwapped", "Rebuilt", "rebuild"]
