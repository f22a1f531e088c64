"""The Django project and its one app: remembers what the log said, shows it, and asks people."""
