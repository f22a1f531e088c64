"""The key that decisions are signed with: the private half stays in STATE, the public half is for agents.

The private key is `decision.key` (mode 0600), made when the first web process starts. Beside it lies
`decision.keys.json`, the ring of public keys that agents are given as `LINESIDE_DECISION_KEYS` (the path, or the
text itself). Hosts that serve the pages of one installation share that folder; where they do not, each has a key
of its own and agents need the public keys of all. Old public keys stay in the ring: decisions under them may still
be on their way.
"""

import logging
import os
import threading
from pathlib import Path
from typing import Final

import msgspec
from django.conf import settings

from coordination.signing import BadKey, Keyring, SigningKey

log = logging.getLogger(__name__)
PRIVATE: Final = "decision.key"
PUBLIC: Final = "decision.keys.json"
_lock = threading.Lock()
_keys: dict[Path, SigningKey] = {}


def decision_key() -> SigningKey:
    """The private key of this installation. Raises BadKey for a file that holds none."""
    state = Path(settings.LINESIDE_STATE)
    with _lock:
        if state not in _keys:
            key = SigningKey.load_or_create(state / PRIVATE)
            _publish(key, state / PUBLIC)
            _keys[state] = key
        return _keys[state]


def decision_keyring() -> Path:
    """The file with the public keys, made if need be: what an agent on this machine is given."""
    decision_key()
    return Path(settings.LINESIDE_STATE) / PUBLIC


def prepare_keys() -> None:
    """Make the key before the first decision, since agents need its public half before they can ask for one.

    Where that fails pages can still be read, so it is said and goes on.
    """
    try:
        decision_keyring()
    except (OSError, BadKey) as error:
        log.error("Decisions cannot be signed: %s", error)


def _publish(key: SigningKey, path: Path) -> None:
    """Put the public key into the ring unless it is there; a reader never sees half a file."""
    known: dict[str, str] = {}
    if path.exists():
        known = msgspec.json.decode(Keyring.from_file(path).text())
    if key.key_id in known:
        return
    ring = msgspec.json.encode(known | msgspec.json.decode(Keyring.of(key).text()))
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_bytes(ring)
    draft.replace(path)
