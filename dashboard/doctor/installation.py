"""Settings and the state folder."""

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from django.conf import settings
from django.core import checks

from dashboard.decisionkey import PRIVATE
from dashboard.doctor.finding import Finding, doubt, fault, fine
from dashboard.secretkey import FILE

ABOUT: Final = "settings"
STATE: Final = "state folder"
LITTLE: Final = 1 << 30
TOO_LITTLE: Final = 100 << 20


def configuration() -> Iterator[Finding]:
    """What `manage.py check --deploy` finds; beyond this machine its security checks count too."""
    tags = ["lineside"] if settings.LINESIDE_LOCAL else ["lineside", "security"]
    found = checks.run_checks(tags=tags, include_deployment_checks=True)
    messages = [message for message in found if not message.is_silenced()]
    for message in messages:
        kind = fault if message.is_serious(checks.ERROR) else doubt
        yield kind(ABOUT, f"{message.msg.strip()} ({message.id})", message.hint or "See the message.")
    if not messages:
        where = "this machine only" if settings.LINESIDE_LOCAL else ", ".join(settings.ALLOWED_HOSTS)
        yield fine(ABOUT, f"they fit together; pages are served for {where}")


def state_folder() -> Iterator[Finding]:
    """Whether the folder can be written, has room, and keeps its secrets."""
    folder = Path(settings.LINESIDE_STATE)
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        yield fault(STATE, f"{folder} cannot be written", "Set LINESIDE_STATE to a folder this user may write.")
        return
    free = shutil.disk_usage(folder).free
    words = f"{folder} has {free >> 20} MiB free"
    remedy = "Make room, or move LINESIDE_STATE: a full disk stops the embedded log and database."
    if free < TOO_LITTLE:
        yield fault(STATE, words, remedy)
    elif free < LITTLE:
        yield doubt(STATE, words, remedy)
    else:
        yield fine(STATE, words)
    yield from _secrets(folder)


def _secrets(folder: Path) -> Iterator[Finding]:
    if stat.S_IMODE(folder.stat().st_mode) & 0o007:
        words = f"every user of this machine may look into {folder}, which may hold log and database"
        yield doubt(STATE, words, f"chmod 700 {folder}")
    for name in (FILE, PRIVATE):
        path = folder / name
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077:
            yield fault(STATE, f"other users of this machine may read {path}", f"chmod 600 {path}, then make it anew.")
