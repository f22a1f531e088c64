"""An error in one line."""


def error_line(kind: str, message: str) -> str:
    """Its type without the module, and the first line of its message; empty if there is neither."""
    first = message.strip().splitlines()[0] if message.strip() else ""
    name = kind.rsplit(".", 1)[-1]
    return f"{name}: {first}" if name and first else name or first
