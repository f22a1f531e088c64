"""What a test says when a program it needs is not on this machine."""


class Missing(RuntimeError):
    """A program is not here; the message says which one and what to do about it.

    `packages` are the Debian packages that bring it, empty when apt cannot help.
    """

    def __init__(self, message: str, packages: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.packages = packages


def missing_program(program: str, packages: tuple[str, ...], why: str) -> Missing:
    """The usual sentence: what is missing, who needs it, and the command that brings it."""
    command = f"apt-get install --no-install-recommends {' '.join(packages)}"
    return Missing(f"{program} is not installed; {why}. Install it as root: {command}", packages)
