"""`manage.py replay RUN --to POSITION`: print a run end to end, against the topic sequence."""
