"""Secrets, and what is derived from them: survey and unsubscribe tokens, API keys, address hashes, sealed bytes.

One secret per installation (`AFTERWORD_SECRET_KEY`, or `secret` in the data folder). Each use has a key of its own,
derived by HKDF with a label, so that no token can be replayed as another. Older secrets are tried for reading.
"""

import base64
import functools
import hashlib
import hmac
import os
import secrets
import zlib
from collections.abc import Sequence
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from afterword.settings import Settings, SettingsError

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_KEY_RANDOM = 43  # base62 digits, 256 bits
_KEY_CHECK = 6  # base62 digits, a CRC-32: a mistyped key is told apart without asking the database

_secrets: list[bytes] = []


def load_secret(settings: Settings) -> None:
    """Take the installation's secret from the settings or the data folder, making it there on the first start.

    Raises SettingsError when the database is external and no secret was given: a secret that lives on one machine's
    disk would be lost with it, and every link with the secret.
    """
    if settings.secret_key:
        secret = settings.secret_key.encode()
    elif settings.embedded:
        secret = _secret_in(settings.data_dir)
    else:
        raise SettingsError(
            "AFTERWORD_SECRET_KEY: required with AFTERWORD_DATABASE_URL; make one, 'openssl rand -hex 32', and keep it"
        )
    use(secret, [old.encode() for old in settings.old_secret_keys])


def use(secret: bytes, older: Sequence[bytes] = ()) -> None:
    """Derive everything from `secret`; read what `older` ones made, newest first."""
    _secrets[:] = [secret, *older]
    _derived.cache_clear()


def _secret_in(folder: Path) -> bytes:
    file = folder / "secret"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not file.exists():
        # written whole under another name and linked: of two first starts one wins, and nobody reads half a secret
        draft = folder / f".secret-{os.getpid()}-{secrets.token_hex(4)}"
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
            handle.write(secrets.token_hex(32))
            handle.flush()
            os.fsync(handle.fileno())
        try:
            os.link(draft, file)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return file.read_bytes().strip()


@functools.cache
def _derived(label: str) -> tuple[bytes, ...]:
    """The key for one use under each known secret, the current one first."""
    if not _secrets:
        raise RuntimeError("no secret is loaded: call tokens.load_secret() first")
    return tuple(
        HKDF(algorithm=SHA256(), length=32, salt=None, info=f"afterword {label}".encode()).derive(secret)
        for secret in _secrets
    )


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def digest(token: str) -> bytes:
    """SHA-256 of a key or token: what is stored, and what look-ups go by. 32 bytes."""
    return hashlib.sha256(token.encode()).digest()


def fingerprints() -> list[bytes]:
    """What tells the known secrets apart, the current one's first, without telling anything of them. 32 bytes each."""
    return list(_derived("fingerprint"))


def new_seed() -> bytes:
    """16 random bytes, stored with an interview; its survey token follows from them."""
    return secrets.token_bytes(16)


def survey_token(seed: bytes, stored: bytes | None = None) -> str:
    """`tok_…` for an interview's seed. With `stored` (the token's digest) the secret that made it is found again."""
    made = [f"tok_{_b64(hmac.digest(key, seed, 'sha256'))}" for key in _derived("survey")]
    if stored is not None:
        for token in made:
            if hmac.compare_digest(digest(token), stored):
                return token
    return made[0]


def unsubscribe_token(org_id: str, address: bytes) -> str:
    """The token that takes one address (its hash) off an organization's list, the same in every mail to it."""
    return f"un_{_b64(hmac.digest(_derived('unsubscribe')[0], org_id.encode() + b' ' + address, 'sha256'))}"


def address_hashes(canonical: str) -> list[bytes]:
    """Keyed hashes of a canonical e-mail address under each known secret, the current one first. 32 bytes each."""
    return [hmac.digest(key, canonical.encode(), "sha256") for key in _derived("address")]


def _check_digits(body: str) -> str:
    number, digits = zlib.crc32(body.encode()), ""
    for _ in range(_KEY_CHECK):
        number, digit = divmod(number, 62)
        digits = _BASE62[digit] + digits
    return digits


def new_api_key() -> str:
    """`aw_` + 43 random base62 digits + 6 check digits. Shown once; only its digest is kept."""
    body = "".join(secrets.choice(_BASE62) for _ in range(_KEY_RANDOM))
    return f"aw_{body}{_check_digits(body)}"


def is_api_key(text: str) -> bool:
    """Whether `text` could be a key of ours: the right shape and the right check digits."""
    body, check = text[3:-_KEY_CHECK], text[-_KEY_CHECK:]
    return text.startswith("aw_") and len(body) == _KEY_RANDOM and text.isascii() and _check_digits(body) == check


def seal(plain: bytes, owner: str) -> bytes:
    """AES-256-GCM with a random nonce in front, bound to `owner` so that it cannot be moved to another row."""
    nonce = os.urandom(12)
    return nonce + AESGCM(_derived("seal")[0]).encrypt(nonce, plain, owner.encode())


def unseal(sealed: bytes, owner: str) -> bytes:
    """What `seal` was given. Raises ValueError when no known secret opens it."""
    for key in _derived("seal"):
        try:
            return AESGCM(key).decrypt(sealed[:12], sealed[12:], owner.encode())
        except InvalidTag:
            continue
    raise ValueError("sealed with a secret that is not known here; give it in AFTERWORD_OLD_SECRET_KEYS")
