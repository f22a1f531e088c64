"""Live updates: watches, the hub, and what travels between processes."""
