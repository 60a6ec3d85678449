"""Text files that are whole or as they were: this floor lies below `geolabel.files`."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from geolabel.errors import InputError, SourceError


def read_text(path: Path) -> str:
    """Text of a UTF-8 file, with lines ended as they are.

    Raises
    ------
    SourceError
        Where it cannot be read.
    InputError
        Where it is not UTF-8.
    """
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise SourceError(f"cannot read {path}: {error.strerror or error}", hint="check the path") from error
    except UnicodeDecodeError:
        raise InputError(f"{path.name} is not UTF-8", hint="save it as UTF-8 text") from None


def write_text(path: Path, text: str) -> Path:
    """Path of a UTF-8 file with this text; on any error it is as it was before.

    Raises
    ------
    SourceError
        On a full disk, a read-only folder and the like.
    """
    part: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=".part", dir=path.parent)
        part = Path(name)
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode("utf-8"))
            file.flush()
            os.fsync(file.fileno())
        part.chmod(path.stat().st_mode if path.exists() else 0o644)
        part.replace(path)
    except OSError as error:
        raise SourceError(f"cannot write {path}: {error.strerror or error}", hint="check folder and disk") from error
    finally:
        if part is not None:
            with suppress(OSError):
                part.unlink()
    return path
