"""Links that need no account: a summons' id and a keyed hash of it, so nobody can guess another one's."""

import hmac
from uuid import UUID

from muster.registry.engine.personal_code import read_id, written_id
from muster.registry.vault import Vault

_PROOF = 10  # hexadecimal places: a million tries at the pages' limits are years
_WRITTEN = 26


def path_of(vault: Vault, summons: UUID) -> str:
    """The path of a summons' own page."""
    return f"/r/w/{written_id(summons)}{_proofs(vault, summons)[0]}"


def place_path(vault: Vault, place: UUID) -> str:
    """The path behind the QR that hangs at a site or, where there is none, in an area."""
    return f"/r/at/{written_id(place)}{_proofs(vault, place, 'place')[0]}"


def summons_of(vault: Vault, code: str) -> UUID | None:
    """Whose page a link's code is of; None where it was made by nobody, or copied badly."""
    return _proven(vault, code, "summons")


def place_of(vault: Vault, code: str) -> UUID | None:
    """The place of a QR's code."""
    return _proven(vault, code, "place")


def _proven(vault: Vault, code: str, of: str) -> UUID | None:
    id_ = read_id(code[:_WRITTEN].upper())
    if id_ is None or not code.isascii():
        return None
    proof = code[_WRITTEN:].lower()
    good = [hmac.compare_digest(proof, one) for one in _proofs(vault, id_, of)]
    return id_ if any(good) else None


def _proofs(vault: Vault, id_: UUID, of: str = "summons") -> list[str]:
    """Under the newest key first, and every other that still lives: links outlast a change of keys."""
    hashes = vault.hashes(of, str(id_))
    return [hashes[number].hex()[:_PROOF] for number in sorted(hashes, reverse=True)]
