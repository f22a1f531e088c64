"""Real servers and a real browser for the tests: found or installed, started on free ports, ended by pid."""
