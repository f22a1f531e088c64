"""The key that signs sessions: given by the environment, or made once and kept in the state folder."""

import os
import secrets
from pathlib import Path

from dashboard.environment import Environment

FILE = "secret-key"
LEAST = 32


def secret_key(environment: Environment, state: Path, *, local: bool) -> str:
    """`LINESIDE_SECRET_KEY`, else the one in the state folder (readable by its owner only).

    Beyond this machine it must be given: several processes must share it, and it must outlive a container.
    """
    given = environment.text("SECRET_KEY")
    if given and len(given) < LEAST:
        environment.wrong(
            "lineside.E003",
            f"LINESIDE_SECRET_KEY has {len(given)} characters.",
            f"Use at least {LEAST} random ones, for instance out of `openssl rand -base64 48`.",
        )
    if not given and not local:
        environment.wrong(
            "lineside.E004",
            "LINESIDE_SECRET_KEY is missing, and LINESIDE_ALLOWED_HOSTS names more than this machine.",
            "Set it to the same random text in every process: `openssl rand -base64 48` makes one.",
        )
    return given or _kept(environment, state)


def _kept(environment: Environment, state: Path) -> str:
    path = state / FILE
    try:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return path.read_text().strip() or secrets.token_urlsafe(48)
    except OSError as error:
        environment.wrong(
            "lineside.E005",
            f"The state folder {state} cannot be written: {error.strerror}.",
            "Set LINESIDE_STATE to a folder this user may write, or LINESIDE_SECRET_KEY and external stores.",
        )
        return secrets.token_urlsafe(48)
    key = secrets.token_urlsafe(48)
    with os.fdopen(descriptor, "w") as file:
        file.write(key)
    return key
