"""Two boxes show each other who they are, and nobody else learns it.

SIGMA-I (Krawczyk 2003, "SIGMA: the 'SIGn-and-MAc' approach", 5.2) with a knock before it, out of
libsodium's parts: X25519 (RFC 7748), Ed25519 (RFC 8032), BLAKE2b (RFC 7693), ChaCha20-Poly1305 (RFC
8439). C calls, A answers; ``|`` puts together, and everything has a fixed size::

    C → A   call     version (1) | c (32: an X25519 key for this once) | knock (16)
    A → C   answer   a (32: the same) | sealed(identity of A) (176)
    C → A   confirm  sealed(identity of C) (176)
    both    frames (``Sealer``), A's first: that is how C knows that it was let in

    knock     BLAKE2b-128 over version | c, keyed with A's Ed25519 key. Who does not know whom he
              calls gets no byte back. It is no proof: who overhears a call can send it again,
              gets an answer that he cannot read, and that is all.
    h1        BLAKE2b-256 over "kiezbox peers 1" and a zero byte | call | a
    h2, h3    BLAKE2b-256 over h1 | sealed(identity of A), and over h2 | sealed(identity of C)
    key(x, h) BLAKE2b-256 over x | h, keyed with X25519(c, a), personalised "kb peers key"
    identity  name (32, zeros behind it) | Ed25519 key (32) | signature (64) | mac (32)
    signature Ed25519 over "kiezbox peer 1" and a zero byte | role ("A" or "C") | h | name | key
    mac       BLAKE2b-256 over role | h | name | key, keyed with key("mac", h1)
    h         h1 for A, h2 for C
    sealed    with key("answer", h1) or key("confirm", h2), nonce zero, h1 or h2 as further data
    frames    length (4, big-endian, of what follows) | ChaCha20-Poly1305 with key("from C", h3) or
              key("from A", h3), the frame's number (12, little-endian) as nonce, the length as
              further data

Keys for this once: what was overheard stays closed when a box's key is stolen later. Roles and both
transcripts are signed: nothing that one said can be said back to it, or to anybody else. C shows
who it is only to whom it meant to call; A only to somebody who knows its key. ``members`` are asked
by both. A connection ends before its 2^32nd frame.
"""

from __future__ import annotations

from hmac import compare_digest

from kiezbox.errors import KiezboxError
from kiezbox.model import is_box_id
from kiezbox.peers.home import Members
from kiezbox.trust import Key
from kiezbox.trust.certificates import verifies

__all__ = [
    "ANSWER_BYTES", "CALL_BYTES", "CONFIRM_BYTES", "MOST_PLAIN", "Answering", "BadPeer", "Calling",
    "Sealer",
]  # fmt: skip

VERSION = 1
_TAG = 16
_IDENTITY = 32 + 32 + 64 + 32

CALL_BYTES = 1 + 32 + 16
ANSWER_BYTES = 32 + _IDENTITY + _TAG
CONFIRM_BYTES = _IDENTITY + _TAG

#: What one frame may hold.
MOST_PLAIN = 1 << 17

_PEERS = b"kiezbox peers 1\0"
_SIGNED = b"kiezbox peer 1\0"
_MOST_FRAMES = 1 << 32


class BadPeer(KiezboxError, ValueError):
    """It is not who it should be, or does not speak as it should."""


class Sealer:
    """One direction of a connection."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._number = 0

    def seal(self, plain: bytes) -> bytes:
        """A frame, its length in front."""
        from nacl.bindings import crypto_aead_chacha20poly1305_ietf_encrypt as encrypt

        length = (len(plain) + _TAG).to_bytes(4, "big")
        return length + encrypt(plain, length, self._nonce(), self._key)

    def open(self, frame: bytes) -> bytes:
        """``frame`` without its length. Each once, and in their order.

        Raises:
            BadPeer: somebody has changed, left out, doubled or turned something.
        """
        from nacl.bindings import crypto_aead_chacha20poly1305_ietf_decrypt as decrypt
        from nacl.exceptions import CryptoError

        try:
            return decrypt(frame, len(frame).to_bytes(4, "big"), self._nonce(), self._key)
        except (CryptoError, ValueError) as error:
            raise BadPeer("a frame that is not the next one") from error

    def _nonce(self) -> bytes:
        if self._number >= _MOST_FRAMES - 1:
            raise BadPeer("a connection that has said all it may")
        self._number += 1
        return (self._number - 1).to_bytes(12, "little")


class _Side:
    """What both have."""

    role, other = b"", b""

    def __init__(self, box: str, key: Key, members: Members) -> None:
        from nacl.utils import random

        self._box, self._key, self._members = box, key, members
        self._secret: bytes = random(32)
        #: Who it is, and the key that it showed; "" and b"" as long as nobody knows.
        self.peer, self.public = "", b""
        #: For what is sent, and for what is received.
        self.sealer: Sealer | None = None
        self.opener: Sealer | None = None

    @property
    def _point(self) -> bytes:
        from nacl.bindings import crypto_scalarmult_base

        return bytes(crypto_scalarmult_base(self._secret))

    def _agree(self, call: bytes, mine: bytes, theirs: bytes, answer: bytes) -> None:
        from nacl.bindings import crypto_scalarmult

        try:
            self._shared: bytes = crypto_scalarmult(self._secret, theirs)
        except Exception as error:
            # What PyNaCl raises where the result is zero differs with its versions.
            raise BadPeer("a point that hides nothing") from error
        if theirs == mine or self._shared == bytes(32):
            raise BadPeer("a point that hides nothing")
        self._h1 = _hash(_PEERS, call, answer)
        self._mac_key = self._derived(b"mac", self._h1)

    def _derived(self, use: bytes, h: bytes) -> bytes:
        from hashlib import blake2b

        return blake2b(
            use + h, key=self._shared, digest_size=32, person=b"kb peers key"
        ).digest()  # fmt: skip

    def _identity(self, h: bytes, use: bytes) -> bytes:
        from nacl.bindings import crypto_aead_chacha20poly1305_ietf_encrypt as encrypt

        said = self.role + h + self._box.encode().ljust(32, b"\0") + self._key.public
        signature = self._key.sign(_SIGNED + said)
        plain = said[-64:] + signature + _mac(said, self._mac_key)
        return bytes(encrypt(plain, h, bytes(12), self._derived(use, h)))

    def _meet(self, sealed: bytes, h: bytes, use: bytes) -> None:
        """
        Raises:
            BadPeer: it is nobody, or somebody else.
        """
        from nacl.bindings import crypto_aead_chacha20poly1305_ietf_decrypt as decrypt
        from nacl.exceptions import CryptoError

        try:
            plain = decrypt(sealed, h, bytes(12), self._derived(use, h))
        except (CryptoError, ValueError) as error:
            raise BadPeer("an identity that cannot be opened") from error
        name, public, signature, mac = plain[:32], plain[32:64], plain[64:128], plain[128:]
        said = self.other + h + name + public
        box = name.rstrip(b"\0").decode("ascii", "replace")
        if len(plain) != _IDENTITY or not compare_digest(mac, _mac(said, self._mac_key)):
            raise BadPeer("an identity without a mac")
        if not is_box_id(box) or box == self._box or public not in self._members(box):
            raise BadPeer("no member")
        if not verifies(public, _SIGNED + said, signature):
            raise BadPeer("somebody who has not that key")
        self.peer, self.public = box, public

    def _open(self, h3: bytes) -> None:
        ours, theirs = (
            Sealer(self._derived(b"from " + role, h3)) for role in (self.role, self.other)
        )
        self.sealer, self.opener = ours, theirs


class Calling(_Side):
    """The side of whoever calls."""

    role, other = b"C", b"A"

    def __init__(self, box: str, key: Key, members: Members, to: str, public: bytes) -> None:
        """``to`` whom, and the key by which that box is known."""
        super().__init__(box, key, members)
        self._to, self._to_public = to, public
        start = bytes([VERSION]) + self._point
        #: The first message.
        self.call = start + _knock(start, public)

    def answered(self, answer: bytes) -> bytes:
        """The third message.

        Raises:
            BadPeer
        """
        mine = self._point
        self._agree(self.call, mine, answer[:32], answer[:32])
        self._meet(answer[32:], self._h1, b"answer")
        if self.peer != self._to or self.public != self._to_public:
            raise BadPeer(f"{self.peer}, and not {self._to}")
        h2 = _hash(self._h1, answer[32:])
        confirm = self._identity(h2, b"confirm")
        self._open(_hash(h2, confirm))
        return confirm


class Answering(_Side):
    """The side of whoever is called."""

    role, other = b"A", b"C"
    _h2 = b""

    @property
    def is_called(self) -> bool:
        return bool(self._h2)

    def called(self, call: bytes) -> bytes:
        """The second message.

        Raises:
            BadPeer: it does not know whom it calls: say nothing.
        """
        start = call[:33]
        if call[:1] != bytes([VERSION]) or not compare_digest(
            call[33:], _knock(start, self._key.public)
        ):
            raise BadPeer("somebody who does not know whom he calls")
        mine = self._point
        self._agree(call, mine, call[1:33], mine)
        sealed = self._identity(self._h1, b"answer")
        self._h2 = _hash(self._h1, sealed)
        return mine + sealed

    def confirmed(self, confirm: bytes) -> None:
        """
        Raises:
            BadPeer
        """
        self._meet(confirm, self._h2, b"confirm")
        self._open(_hash(self._h2, confirm))


def _hash(*parts: bytes) -> bytes:
    from hashlib import blake2b

    return blake2b(b"".join(parts), digest_size=32).digest()


def _mac(said: bytes, key: bytes) -> bytes:
    from hashlib import blake2b

    return blake2b(said, key=key, digest_size=32).digest()


def _knock(start: bytes, public: bytes) -> bytes:
    from hashlib import blake2b

    return blake2b(start, key=public, digest_size=16, person=b"kb peers knock").digest()
