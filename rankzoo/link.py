"""Links: a document as the parameter `c` of an address.

`c=j` + base64url of the JSON without padding, or `c=z` + base64url of the raw-deflated JSON, whichever is shorter. Only
what differs from the preset is written. At most 64 KiB are decoded, and length is checked before anything is inflated.
"""
from __future__ import annotations

import base64
import binascii
import json
import zlib

from rankzoo.document import LONGEST, Document
from rankzoo.errors import ZooError


def encode(document: Document) -> str:
    """The value of `c` for a document."""
    text = json.dumps(document.difference(), separators=(",", ":"), ensure_ascii=False).encode()
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(text) + packer.flush()
    return "z" + _base64(packed) if len(packed) < len(text) else "j" + _base64(text)


def decode(value: str) -> Document:
    """The document of a value of `c`; raises a ZooError for what is damaged, too long, unknown or absurd."""
    return Document.parse(text_of(value))


def text_of(value: str) -> str:
    """The JSON text inside a value of `c`."""
    if len(value) > 2 * LONGEST:
        raise ZooError("This link is too long.", "Make a new link in the app.")
    try:
        raw = base64.b64decode(value[1:] + "=" * (-len(value[1:]) % 4), altchars=b"-_", validate=True)
        if value[:1] == "z":
            opener = zlib.decompressobj(-15)
            raw = opener.decompress(raw, LONGEST + 1)
            if len(raw) > LONGEST or opener.unconsumed_tail:
                raise ZooError("This link is too long.", "Make a new link in the app.")
            if not opener.eof:
                raise ValueError("cut off")
        elif value[:1] != "j":
            raise ValueError("unknown form")
        return raw.decode("utf-8")
    except (binascii.Error, ValueError, zlib.error) as error:
        if isinstance(error, ZooError):
            raise
        raise ZooError("This link could not be read; it may have been cut off.", "The default model is shown instead.") from None


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
