"""Whether a JPEG 2000 file is whole. Its decoder reads on past the end and gives pixels that were never measured.

Source: ISO/IEC 15444-1, annex I (boxes: length, type, length of 64 bits) and annex A (end of codestream, FFD9).
"""

from __future__ import annotations

from pathlib import Path

CODESTREAM = b"\xff\x4f\xff\x51"
END_OF_CODESTREAM = b"\xff\xd9"


def is_whole(path: str | Path) -> bool:
    """Whether the last box of a .jp2 ends within the file; a codestream without a length, where it should end."""
    size = Path(path).stat().st_size
    with Path(path).open("rb") as file:
        at = 0
        while at + 8 <= size:
            file.seek(at)
            head = file.read(16)
            length, kind = int.from_bytes(head[:4], "big"), head[4:8]
            if head.startswith(CODESTREAM) or (length == 0 and kind == b"jp2c"):
                file.seek(-2, 2)
                return file.read(2) == END_OF_CODESTREAM
            length = int.from_bytes(head[8:16], "big") if length == 1 else length
            if length < 8:  # no box: bytes that somebody added
                return True
            at += length
    return at <= size
