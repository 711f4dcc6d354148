"""Decompression of responses with a limit, so that a small body cannot fill the memory (decompression bomb).

httpx inflates a chunk as a whole before anybody can count it, and any number of encodings on top of each other.
"""

import zlib
from collections.abc import Iterable, Iterator

ACCEPTED = "gzip"  # the value of Accept-Encoding. A server that sends another encoding is refused.
_STEP = 65_536  # bytes that one step may inflate to


class UnknownEncoding(Exception):
    """The response has an encoding that was not asked for, or several on top of each other."""


def inflated(chunks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """Yield the body in pieces of at most 64 KiB. `encoding` is the Content-Encoding header, empty for none.

    Raises UnknownEncoding, and zlib.error for a body that is no gzip.
    """
    encoding = encoding.strip().lower()
    if encoding in {"", "identity"}:
        yield from chunks
        return
    if encoding not in {"gzip", "x-gzip"}:
        raise UnknownEncoding(encoding)
    inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    for chunk in chunks:
        pending = chunk
        while pending:
            yield inflater.decompress(pending, _STEP)
            pending = inflater.unconsumed_tail or inflater.unused_data
            if inflater.eof:  # a gzip body may consist of several parts
                inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    yield inflater.flush(_STEP)
