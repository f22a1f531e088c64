"""Signatures under decisions: Ed25519 over the canonical JSON of what is signed.

A decision reaches an agent as data of `task.resume.requested`. Whoever holds the right to write that topic could
forge one, so the relay signs the data and the agent checks the signature before anything else. What is signed is
the whole object without its member `signature`, in the canonical form of RFC 8785; `key_id` is part of it, so that
a signature cannot be moved to another key. Keys rotate by distributing the new public key before the relay uses
the new private one; old public keys stay in the ring as long as decisions under them may still be on their way.

Agents get public keys from the environment (`LINESIDE_DECISION_KEYS`, either the JSON object
`{"<key id>": "<base64 of 32 bytes>"}` itself or the path of a file that holds it). Without keys every decision is
refused: an agent that cannot check a permission has none.
"""

import base64
import binascii
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Self

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from coordination.canonical import NotCanonical, canonical
from coordination.errors import CoordinationError

SIGNATURE: Final = "signature"
KEY_ID: Final = "key_id"
KEYS_VARIABLE: Final = "LINESIDE_DECISION_KEYS"


class BadSignature(CoordinationError):
    """The signature is missing, made with an unknown key, or does not fit the document."""

    code = "bad_signature"


class BadKey(CoordinationError):
    """A key or a list of keys that cannot be read; the message says which and what is expected."""

    code = "bad_key"


class SigningKey:
    """A private key. `key_id` is the beginning of the SHA-256 of the public key, so nobody has to hand out names."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.key_id = hashlib.sha256(self.public).hexdigest()[:16]

    @classmethod
    def generate(cls) -> Self:
        """A new key."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the key kept in a file of 32 bytes in base64. Raises BadKey."""
        try:
            return cls(Ed25519PrivateKey.from_private_bytes(_unbase64(path.read_text("ascii").strip())))
        except (OSError, ValueError) as error:
            raise BadKey(f"Cannot read the signing key {path}: {error}.") from error

    @classmethod
    def load_or_create(cls, path: Path) -> Self:
        """The key in the file; if there is none, a new one is put there, readable by its owner only."""
        if not path.exists():
            raw = Ed25519PrivateKey.generate().private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
            _write_new(path, base64.b64encode(raw) + b"\n")
        return cls.load(path)

    def sign(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """The document with `key_id` and `signature` added (replaced if present). Raises NotCanonical."""
        signed = {name: value for name, value in document.items() if name != SIGNATURE} | {KEY_ID: self.key_id}
        return signed | {SIGNATURE: base64.b64encode(self._private.sign(canonical(signed))).decode("ascii")}


class Keyring:
    """Public keys by id. With a `path`, the file is read again when an unknown key id turns up (rotation)."""

    def __init__(self, keys: Mapping[str, bytes] | None = None, *, path: Path | None = None) -> None:
        self._keys = dict(keys or {})
        self._path = path

    @classmethod
    def of(cls, *keys: SigningKey) -> Self:
        """A ring of the public halves of these keys."""
        return cls({key.key_id: key.public for key in keys})

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Parse the JSON object `{"<key id>": "<base64>"}`. Raises BadKey."""
        return cls(_parse(text))

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """The ring in a file. Raises BadKey."""
        return cls(_read(path), path=path)

    @classmethod
    def from_environment(cls, variables: Mapping[str, str] | None = None) -> Self:
        """The ring named by `LINESIDE_DECISION_KEYS`; an empty ring when it is not set. Raises BadKey."""
        value = (os.environ if variables is None else variables).get(KEYS_VARIABLE, "").strip()
        if not value:
            return cls()
        return cls.from_text(value) if value.startswith("{") else cls.from_file(Path(value))

    def __len__(self) -> int:
        return len(self._keys)

    def text(self) -> str:
        """The JSON object that `from_text` reads."""
        keys = {key_id: base64.b64encode(public).decode("ascii") for key_id, public in sorted(self._keys.items())}
        return msgspec.json.encode(keys).decode()

    def verify(self, document: Mapping[str, Any]) -> None:
        """Return if the document's `signature` by its `key_id` fits it. Raises BadSignature, with the reason."""
        public = self._public(document.get(KEY_ID))
        body = {name: value for name, value in document.items() if name != SIGNATURE}
        try:
            signature = _unbase64(str(document.get(SIGNATURE, "")))
            Ed25519PublicKey.from_public_bytes(public).verify(signature, canonical(body))
        except (InvalidSignature, ValueError, NotCanonical) as error:
            raise BadSignature("The signature does not fit the decision.") from error

    def _public(self, key_id: object) -> bytes:
        if not isinstance(key_id, str):
            raise BadSignature("The decision names no key.")
        if key_id not in self._keys and self._path is not None:
            self._keys |= _read(self._path)
        if key_id not in self._keys:
            raise BadSignature(f"Signed with the key {key_id!r}, which is not among the {len(self)} known keys.")
        return self._keys[key_id]


def _unbase64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(f"not base64: {error}") from error


def _read(path: Path) -> dict[str, bytes]:
    try:
        return _parse(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise BadKey(f"Cannot read the public keys in {path}: {error}.") from error


def _parse(text: str) -> dict[str, bytes]:
    try:
        keys = {key_id: _unbase64(public) for key_id, public in msgspec.json.decode(text, type=dict[str, str]).items()}
        for public in keys.values():
            Ed25519PublicKey.from_public_bytes(public)
    except (msgspec.DecodeError, ValueError) as error:
        message = f'Public keys must be {{"<key id>": "<base64 of 32 bytes>"}}: {error}.'
        raise BadKey(message) from error
    return keys


def _write_new(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:  # another process was quicker; its key is as good
        return
    with os.fdopen(handle, "wb") as file:
        file.write(content)
