"""Blocks of bzip2 files, decompressed one by one, so that several workers can share a large file.

The format has no index, but every block begins with 48 fixed bits, at any bit of a byte. A block is decompressed as a
stream of its own. A chance match of the 48 bits inside a block (once in 30 TB) makes the parts of this block
unreadable; they are then read as one block.
"""

import bz2
from collections.abc import Iterator

from schemas.errors import BadRecord, Reason
from transforms.files import File, filesystem, source_errors

BLOCK = 0x314159265359
END = 0x177245385090
"""The 48 bits at the start of a block, and of the end of a stream."""

READ_BYTES = 4 << 20
"""More than the compressed size of any block."""

HEADER = b"BZh9"


def patterns(bits: int) -> list[tuple[int, bytes, int, int]]:
    """(shift, whole bytes, low bits of the byte before, high bits of the byte behind) of 48 bits at each shift."""
    shifted = []
    for shift in range(8):
        value = (bits << (8 - shift)).to_bytes(7, "big")
        shifted.append((shift, value[1:6], value[0], value[6]))
    return shifted


PATTERNS = [(bits, pattern) for bits in (BLOCK, END) for pattern in patterns(bits)]


def marks(data: bytes) -> list[tuple[int, int]]:
    """(position in bits, BLOCK or END) of all marks in `data`, sorted."""
    places = []
    for bits, (shift, middle, before, behind) in PATTERNS:
        at = data.find(middle)
        while at >= 0:
            if 0 < at < len(data) - 5 and is_mark(data, at, shift, before, behind):
                places.append((8 * (at - 1) + shift, bits))
            at = data.find(middle, at + 1)
    return sorted(places)


def is_mark(data: bytes, at: int, shift: int, before: int, behind: int) -> bool:
    low, high = 0xFF >> shift, 0xFF << (8 - shift) & 0xFF
    return data[at - 1] & low == before & low and data[at + 5] & high == behind & high


def decompress(data: bytes, start: int, end: int) -> bytes:
    """The content of the block in the bits from `start` to `end`. Raises OSError or EOFError if it is damaged."""
    size = end - start
    bits = int.from_bytes(data[start // 8 : (end + 7) // 8], "big") >> (-end % 8) & ((1 << size) - 1)
    checksum = bits >> (size - 80) & 0xFFFFFFFF  # of the block, and therefore of a stream of one block
    bits = (bits << 80 | END << 32 | checksum) << (-size % 8)
    stream = bz2.BZ2Decompressor()
    content = stream.decompress(HEADER + bits.to_bytes((size + 87) // 8, "big"))
    if not stream.eof:
        raise EOFError("the block is cut off")
    return content


def read(file: File, start: int, end: int) -> Iterator[tuple[bytes | BadRecord, bool]]:
    """(content, True) of the blocks that begin in the bytes from `start` to `end`, then (content, False) of those
    behind them. The content of a damaged block, or of a file without any mark, is a BadRecord. The bytes before the
    first mark are ignored.
    """
    system, path = filesystem(file.path)
    with source_errors(file.name):
        stream = system.open_input_file(path)
    with stream:
        offset = max(start - 1, 0)  # a mark can only be seen with the byte before it
        data = b""
        waiting: list[tuple[int, int]] = []  # marks from the current block on, in bits of `data`
        is_marked = start > 0
        while True:
            with source_errors(file.name):
                more = stream.read_at(READ_BYTES, offset + len(data))
            known = max((len(data) - 7) * 8, 0)
            data += more
            waiting += [
                (place + known, bits)
                for place, bits in marks(data[known // 8 :])
                if offset * 8 + place + known >= start * 8 and (not waiting or place + known > waiting[-1][0])
            ]
            is_last = len(more) < READ_BYTES
            is_marked = is_marked or bool(waiting)
            while len(waiting) > 2 or (is_last and waiting):
                (begin, kind), *rest = waiting
                if kind == BLOCK:
                    ends = [place for place, _ in rest[:2]]
                    content, skipped = first_readable(data, begin, ends or [len(data) * 8])
                    problem = damaged(file.name, ONE_BLOCK if ends else CUT)
                    yield problem if content is None else content, offset * 8 + begin < end * 8
                    rest = rest[skipped:]
                waiting = rest
            if is_last:
                if data and not is_marked:
                    yield damaged(file.name, NOT_BZIP2), True
                return
            keep = (waiting[0][0] // 8 if waiting else len(data)) - 8
            if keep > 0:
                data, offset = data[keep:], offset + keep
                waiting = [(place - keep * 8, bits) for place, bits in waiting]


def first_readable(data: bytes, begin: int, ends: list[int]) -> tuple[bytes | None, int]:
    """(content of the block, number of marks inside it), for the first of the `ends` at which it can end; (None, 0) if
    it is damaged.
    """
    for number, end in enumerate(ends):
        try:
            return decompress(data, begin, end), number
        except (OSError, EOFError):
            continue
    return None, 0


ONE_BLOCK = "is damaged; one block is lost"
CUT = "is cut off; the rest is lost"
NOT_BZIP2 = "is not bzip2; the rest is lost"


def damaged(name: str, what: str) -> BadRecord:
    return BadRecord(name, Reason.BROKEN_RECORD, f"the compressed data {what}")
