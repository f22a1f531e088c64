"""Ingest: records in, rows and positions in one transaction, then word of it to whoever watches.

`sorting` decodes, `keys` drops duplicates, `working` holds the rows that `coordination.projection` folds into,
`writing` is the transaction, `sqlite` and `postgres` are its two dialects, `loop` reads and drives it all.
"""
