"""`manage.py verify_audit`: compute the audit chain again and name its first broken link."""
