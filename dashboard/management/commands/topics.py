"""`manage.py topics`: the declared topics against the log's; `--apply` makes and corrects them."""
