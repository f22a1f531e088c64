"""Tables with something of their own."""
