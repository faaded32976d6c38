"""The second factor: a six-digit code of the clock (RFC 6238), each taken once, and recovery codes for
when the phone is gone. Secrets are sealed, recovery codes hashed.
"""

import secrets
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from pyotp import random_base32
from pyotp.totp import TOTP

from muster.access import throttle
from muster.access.sealing import Sealer, token_hash
from muster.access.sessions import Signed
from muster.config import RECOVERY_CODES
from muster.core.problems import Problem
from muster.core.rows import row

Conn = psycopg.AsyncConnection[Any]
_HERE = "muster.access"
_STEP_SECONDS = 30
_STEPS_OFF = 1  # a phone's clock may be half a minute off either way
_RECOVERY_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
_RECOVERY_LENGTH = 16  # 79 bits


class CodeWrong(Problem):
    """The code is wrong, too old or was used already. Wait for the next one; if it goes on, set the
    phone's clock."""

    zh = "验证码错误、过期或已使用。请等待下一个；若仍不行，请校准手机时间。"
    status = 403


class NothingToConfirm(Problem):
    """No second factor is being set up. Begin again."""

    zh = "没有正在设置的第二因素，请重新开始。"
    status = 409


class SecondFactorWanted(Problem):
    """A second factor is set up for this account. Pass it first."""

    zh = "该账号已设置第二因素，请先通过验证。"
    status = 403


def check_passed(signed: Signed) -> None:
    """Raises SecondFactorWanted where a factor is set up that this session has not passed: a
    password alone must not change what stands beside it."""
    if signed.has_factor and not signed.second:
        raise SecondFactorWanted()


async def begin(conn: Conn, vault: Sealer, signed: Signed) -> str:
    """A new secret as the `otpauth:` address an app takes up from a QR code. The one in use stays
    until the first code of the new one has come."""
    check_passed(signed)
    secret = random_base32()
    await row(
        conn, _HERE, "begin_totp", account=signed.account, pending=vault.seal(secret.encode())
    )
    return TOTP(secret).provisioning_uri(name=signed.login, issuer_name="Muster")


async def confirm(
    conn: Conn, vault: Sealer, signed: Signed, *, code: str, address: str, at: datetime
) -> list[str]:
    """Take the secret into use by its first code; new recovery codes, shown this once.

    Raises NothingToConfirm, CodeWrong, TooManyAttempts.
    """
    check_passed(signed)
    found = await row(conn, _HERE, "totp", account=signed.account)
    if found is None or found["pending"] is None:
        raise NothingToConfirm()
    pending = bytes(found["pending"])
    one = throttle.trying(vault, signed.login, address, factor="code")
    await throttle.check(conn, one, at=at)
    step = _step(_secret(vault, pending), code, at)
    if step is None:
        await throttle.failed(conn, one, at=at)
        raise CodeWrong()
    done = await row(
        conn, _HERE, "confirm_totp", account=signed.account, pending=pending, step=step, at=at
    )
    if done is None:
        raise NothingToConfirm()
    return await new_recovery_codes(conn, signed.account)


async def check(
    conn: Conn, vault: Sealer, signed: Signed, *, code: str, address: str, at: datetime
) -> None:
    """Pass the second factor with a code of the clock or a recovery code; each serves once.

    Raises CodeWrong, TooManyAttempts.
    """
    one = throttle.trying(vault, signed.login, address, factor="code")
    await throttle.check(conn, one, at=at)
    code = code.replace(" ", "").replace("-", "").lower()
    if not await _taken(conn, vault, signed.account, code=code, at=at):
        await throttle.failed(conn, one, at=at)
        raise CodeWrong()
    await throttle.succeeded(conn, one, at=at)


async def _taken(conn: Conn, vault: Sealer, account: UUID, *, code: str, at: datetime) -> bool:
    if len(code) == _RECOVERY_LENGTH:
        hashed = token_hash(code)
        used = await row(conn, _HERE, "use_recovery", account=account, hash=hashed, at=at)
        return used is not None
    found = await row(conn, _HERE, "totp", account=account)
    if found is None or found["secret"] is None:
        return False
    step = _step(_secret(vault, bytes(found["secret"])), code, at)
    if step is None:
        return False
    return await row(conn, _HERE, "use_step", account=account, step=step) is not None


async def new_recovery_codes(conn: Conn, account: UUID) -> list[str]:
    """Ten new ones in groups of four, shown this once; older ones are worth nothing."""
    codes = [
        "".join(secrets.choice(_RECOVERY_LETTERS) for _ in range(_RECOVERY_LENGTH))
        for _ in range(RECOVERY_CODES)
    ]
    hashes = [token_hash(code) for code in codes]
    await row(conn, _HERE, "keep_recovery", account=account, hashes=hashes)
    return ["-".join(code[i : i + 4] for i in range(0, _RECOVERY_LENGTH, 4)) for code in codes]


def _secret(vault: Sealer, sealed: bytes) -> str:
    return vault.open(sealed).decode()


def _step(secret: str, code: str, at: datetime) -> int | None:
    """Which step of the clock a code belongs to, of those near enough."""
    totp, now = TOTP(secret), int(at.timestamp()) // _STEP_SECONDS
    for step in range(now - _STEPS_OFF, now + _STEPS_OFF + 1):
        if secrets.compare_digest(totp.generate_otp(step).encode(), code.encode()):
            return step
    return None
