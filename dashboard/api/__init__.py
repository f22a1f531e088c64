"""The HTTP API under /api/v1/: the same rows as the pages and the socket, for scripts, agents and checks."""
