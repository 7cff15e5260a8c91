"""What only some can read: sealed to a role's key, or by words that people know.

Pure functions over PyNaCl (libsodium), imported inside because it costs 25 ms. Three ways, and in
``proofs`` who may change what was left:

- **boxes**: to a role's public key (helpers, civil protection). Whoever seals cannot open again.
- **locks**: a role's private key under a passphrase, or under a one-time code.
- **by_words**: under words alone ("I am safe", messages). Where to look and with what to open both
  come from the words, so a copied database does not even say whom something is for.

docs/help.md says in numbers what somebody with a copied card can and cannot do.
"""

from kiezbox.sealing.boxes import (
    PUBLIC_BYTES,
    ROLES,
    Pair,
    key_id,
    new_pair,
    public_of,
    seal,
    unseal,
    verifying_half,
)
from kiezbox.sealing.by_words import Words, by_words, open_by, seal_by
from kiezbox.sealing.code_words import folded, language_of, shown, stranger, words_of
from kiezbox.sealing.deriving import FULL, LIGHT, NotOpened, Work, random_bytes
from kiezbox.sealing.locks import fault_of, lock, unlock
from kiezbox.sealing.proofs import (
    check_of,
    is_proof_of,
    is_signed,
    plain_word,
    proof_of,
    signature,
    signer_of,
    stretched,
    ticket_check,
    ticket_signer,
    verifier_of,
    word_of,
)

__all__ = [
    "FULL", "LIGHT", "PUBLIC_BYTES", "ROLES", "NotOpened", "Pair", "Words", "Work", "by_words",
    "check_of", "fault_of", "folded", "is_proof_of", "is_signed", "key_id", "language_of", "lock",
    "new_pair", "open_by", "plain_word", "proof_of", "public_of", "random_bytes", "seal", "seal_by",
    "shown", "signature", "signer_of", "stranger", "stretched", "ticket_check", "ticket_signer",
    "unlock", "unseal", "verifier_of", "verifying_half", "word_of", "words_of",
]  # fmt: skip
