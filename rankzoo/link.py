"""Links: a document as the parameter `c` of an address.

`c=j` + base64url of the JSON without padding, or `c=z` + base64url of the raw-deflated JSON, whichever is shorter. Only
what differs from the preset is written. At most 64 KiB are decoded, and length is checked before anything is inflated.
"""
from __future__ import annotations

import base64
import json
import re
import zlib

from rankzoo.document import Document
from rankzoo.errors import ZooError
from rankzoo.parsing import LONGEST, rest, too_long

CODE = re.compile("[A-Za-z0-9_-]*")
PIECE = 64
"""Bytes that are unpacked at a time: those before the damage can be read."""


def encode(document: Document) -> str:
    """The value of `c` for a document."""
    text = json.dumps(document.difference(), separators=(",", ":"), ensure_ascii=False).encode()
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(text) + packer.flush()
    return "z" + _base64(packed) if len(packed) < len(text) else "j" + _base64(text)


def decode(value: str) -> Document:
    """The document of a value of `c`; raises a ZooError for what is damaged, too long, unknown or absurd."""
    try:
        return Document.parse(text_of(value))
    except ZooError as problem:
        problem.what = problem.what.replace("This document could not be read", "This link could not be read")
        if problem.cure:
            raise
        problem.tried = rest(_carried(value)[0].decode("utf-8", "ignore"))
        raise Document.offering(problem) from None


def text_of(value: str) -> str:
    """The JSON text inside a value of `c`."""
    if len(value) > 2 * LONGEST:
        raise ZooError("This link is too long.", "It has more than {most:,} signs. Make a new link in the app.", most=2 * LONGEST)
    raw, why = _carried(value)
    if len(raw) > LONGEST:
        raise too_long()
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        why = why or f"byte {error.start} is no UTF-8"
    if why:
        raise ZooError("This link could not be read; it may have been cut off.", "Found in it: {found}. A link is j or z and the "
                       "base64url of a document.", found=why)
    return text


def _carried(value: str) -> tuple[bytes, str]:
    """The bytes inside a value of `c`, as far as they can be read, and why no further; one more than may be says that there are
    more."""
    form, code = value[:1], value[1:2 * LONGEST]
    good = CODE.match(code)[0]
    why = f"the sign «{code[len(good)]}», which is no base64url" if len(good) < len(code) else \
        f"{len(good)} signs, which no bytes have" if len(good) % 4 == 1 else ""
    good = good[:len(good) - (len(good) % 4 == 1)]
    raw = base64.urlsafe_b64decode(good + "=" * (-len(good) % 4))
    if form == "j":
        return raw[:LONGEST + 1], why
    if form != "z":
        return b"", f"the form «{form}»" if form else "nothing"
    opener, text = zlib.decompressobj(-15), b""
    try:
        for i in range(0, len(raw), PIECE):
            text += opener.decompress(raw[i:i + PIECE], LONGEST + 1 - len(text))
            if len(text) > LONGEST:
                return text, why
    except zlib.error:
        return text, why or "packed text that is damaged"
    return text, why or ("" if opener.eof else "packed text that does not end")


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
