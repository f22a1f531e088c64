"""`manage.py doctor`: check everything and say what to do."""
