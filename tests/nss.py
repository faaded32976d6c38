"""Makes a folder of trusted certificates for Chromium, as a phone's user does by hand: NSS itself writes it
(its certutil is often not installed). Run as a script: HOME, certificate file.
"""

import ctypes
import sys
from ctypes import byref, c_char_p, c_int, c_uint, c_ulong, c_void_p
from pathlib import Path


class Item(ctypes.Structure):
    """SECItem (NSS, seccomon.h)."""

    _fields_ = (("type", c_uint), ("data", c_char_p), ("length", c_uint))


class Trust(ctypes.Structure):
    """CERTCertTrust (NSS, certt.h)."""

    _fields_ = (("ssl", c_uint), ("email", c_uint), ("objects", c_uint))


def trust(home: Path, der: bytes) -> None:
    """Put an authority into the trusted ones of the user whose home it is. Raises OSError."""
    folder = home / ".pki" / "nssdb"
    folder.mkdir(parents=True)
    nss = ctypes.CDLL("libnss3.so")
    nss.PK11_GetInternalKeySlot.restype = c_void_p
    nss.CERT_GetDefaultCertDB.restype = c_void_p
    nss.CERT_NewTempCertificate.restype = c_void_p
    nss.CERT_NewTempCertificate.argtypes = (c_void_p, c_void_p, c_char_p, c_int, c_int)
    nss.PK11_InitPin.argtypes = (c_void_p, c_char_p, c_char_p)
    nss.PK11_ImportCert.argtypes = (c_void_p, c_void_p, c_ulong, c_char_p, c_int)
    nss.CERT_ChangeCertTrust.argtypes = (c_void_p, c_void_p, c_void_p)
    _done(nss.NSS_InitReadWrite(f"sql:{folder}".encode()))
    slot = nss.PK11_GetInternalKeySlot()
    _done(nss.PK11_InitPin(slot, b"", b""))
    store = nss.CERT_GetDefaultCertDB()
    certificate = nss.CERT_NewTempCertificate(store, byref(Item(0, der, len(der))), None, 0, 1)
    if not certificate:
        raise OSError("NSS cannot read the certificate")
    _done(nss.PK11_ImportCert(slot, certificate, 0, b"muster", 0))
    how = Trust()
    _done(nss.CERT_DecodeTrustString(byref(how), b"C,,"))
    _done(nss.CERT_ChangeCertTrust(store, certificate, byref(how)))
    nss.NSS_Shutdown()


def _done(code: int) -> None:
    if code != 0:
        raise OSError(f"NSS says {code}")


if __name__ == "__main__":
    trust(Path(sys.argv[1]), Path(sys.argv[2]).read_bytes())
