"""Remote files: which they are, how GDAL reads them, what is tried again, and what is said when they do not answer.

`https://`, `s3://`, `gs://` and `az://` are read in place by range requests. Times and retries are GDAL's own variables
(`GDAL_HTTP_TIMEOUT`, `GDAL_HTTP_MAX_RETRY`, ...), so one setting serves pixels and metadata; `PATIENCE` holds the
defaults. Regions, endpoints and credentials come from the environment as GDAL reads it (`AWS_REGION`,
`AWS_NO_SIGN_REQUEST`, `GS_...`, `AZURE_...`). What follows a `?` in a URL may be a key: it goes to the server only.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any, TypeVar
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from geolabel.errors import SourceError

T = TypeVar("T")

SYSTEMS = {"http": "/vsicurl/http:", "https": "/vsicurl/https:", "s3": "/vsis3/", "gs": "/vsigs/", "az": "/vsiaz/"}
"""Scheme of a URL -> how GDAL's name of it begins."""
PATIENCE = {
    "GDAL_HTTP_CONNECTTIMEOUT": "10",  # seconds until a server must have answered the call
    "GDAL_HTTP_LOW_SPEED_TIME": "20",  # seconds for which it may send next to nothing
    "GDAL_HTTP_LOW_SPEED_LIMIT": "100",  # bytes a second that are next to nothing
    "GDAL_HTTP_TIMEOUT": "120",  # seconds for one request, and for all tries of one read
    "GDAL_HTTP_MAX_RETRY": "2",  # tries after the first
    "GDAL_HTTP_RETRY_DELAY": "1",  # seconds before the second try, doubled each time
}
"""Variable -> default; the environment of the process overrules it."""
COG = {
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",  # never list the folder
    "GDAL_INGESTED_BYTES_AT_OPEN": "32768",  # the whole header of most COGs in one request
    "GDAL_HTTP_MERGE_CONSECUTIVE_RANGES": "YES",
    "GDAL_HTTP_MULTIPLEX": "YES",
}
"""How a cloud-optimised GeoTIFF is read with few requests."""
PASSING = (408, 425, 429, 500, 502, 503, 504)
"""Statuses that a later try may not meet."""
CHUNK = 1 << 16


def gdal_path(source: str | Path) -> str:
    """GDAL's name of a URL (`/vsicurl/https://...`, `/vsis3/...`); any other path as it is."""
    scheme, found, rest = str(source).partition("://")
    if not found or scheme.lower() not in SYSTEMS:
        return str(source)
    start = SYSTEMS[scheme.lower()]
    return start + ("//" if start.startswith("/vsicurl/") else "") + rest


def is_remote(path: str | Path) -> bool:
    """Whether a path or GDAL name is read over a network."""
    return any(part in gdal_path(path) for part in ("/vsicurl/", "/vsis3/", "/vsigs/", "/vsiaz/"))


def plain(path: str | Path) -> str:
    """The URL of a path or GDAL name as it may be shown: no key after a `?`, no password."""
    text = str(path)
    for scheme, start in SYSTEMS.items():
        text = text.replace(start + ("//" if scheme.startswith("http") else ""), f"{scheme}://")
    return redact(text)


def name_of(path: str | Path) -> str:
    """Last part of a path or URL, without a key: what may be told to others."""
    return Path(plain(path)).name


def redact(text: str) -> str:
    """Text in which no URL has a query, a fragment or a password."""
    text = re.sub(r"((?:\w+:/|url: )/[^\s?#'\"<>]*)[?#][^\s'\"<>]*", r"\1", text)
    return re.sub(r"(\w+://)[^\s/@'\"<>]+@", r"\1", text)


def options(path: str | Path) -> dict[str, str]:
    """GDAL's settings to read `path`; none for a local one."""
    if not is_remote(path):
        return {}
    return {**COG, **_patience(), "GDAL_HTTP_MAX_RETRY": "0"}  # `steadily` tries again, and only where it may help


def fresh(path: str) -> dict[str, str]:
    """The setting under which GDAL forgets what it remembers of a remote file, a 404 too."""
    return {"CPL_VSIL_CURL_NON_CACHED": path}


def _patience() -> dict[str, str]:
    return {key: os.environ.get(key, value) for key, value in PATIENCE.items()}


def seconds(variable: str) -> float:
    """A time or count of `PATIENCE`, as it is set now."""
    try:
        return float(_patience()[variable])
    except ValueError:
        return float(PATIENCE[variable])


# ------------------------------------------------------------------------------------------------ try again
@dataclass(frozen=True, slots=True)
class Fault:
    """What went wrong on the way to a remote file."""

    words: str
    hint: str
    passing: bool
    """Whether another try may help."""
    gone: bool = False
    """Whether it says that there is no such file: GDAL remembers that, so it is asked once more."""


def steadily(path: str, work: Callable[[Mapping[str, str]], T], failed: tuple[type[Exception], ...]) -> T:
    """What `work(settings)` gives, tried again where that may help, a bounded number of times and seconds.

    From the second try on, `settings` tell GDAL to forget what it remembers of remote files: a 404 does not stay.

    Raises
    ------
    SourceError
        That names the file and says what to do.
    """
    begun, tries, pause = time.monotonic(), int(seconds("GDAL_HTTP_MAX_RETRY")), seconds("GDAL_HTTP_RETRY_DELAY")
    settings: dict[str, str] = {}
    tried = 0
    while True:
        try:
            return work(settings)
        except failed as error:
            spent = time.monotonic() - begun
            fault = fault_of(error, spent)
            again = tried < tries and spent + pause < seconds("GDAL_HTTP_TIMEOUT") if fault.passing else False
            if not again and not (fault.gone and not tried):
                raise failure(path, fault) from error
        tried += 1
        settings = fresh(path)
        if fault.passing:
            time.sleep(pause)
            pause *= 2


def failure(path: str | Path, fault: Fault) -> SourceError:
    """The error of a remote file: its name, where it lies, what happened, what to do."""
    return SourceError(f"cannot read {name_of(path)} at {plain(path)}: {fault.words}", hint=fault.hint)


_NETWORK = "check the network, then run the same command again"
_WAIT = "wait a while, then run the same command again"
_ADDRESS = "check the address; an item may be older than its files"
_CUT = "the file is cut short: tell its provider, or use another copy"
_PAGE = "open the address in a browser: it may be a page to log in; of a bucket, check its endpoint and region"
_KEY = (
    "it may need a key: sign the address (a presigned URL, planetary_computer.sign(item)) or set the provider's "
    "credentials in the environment; a public bucket of S3 needs AWS_NO_SIGN_REQUEST=YES"
)
_BROKEN = Fault("the server broke off", f"{_NETWORK}; if it stays, {_CUT}", passing=True)
_WORDS: Mapping[str, Fault] = {
    r"resolve host|Name or service not known|nodename": Fault("the server's name is not known", _NETWORK, passing=True),
    r"connect to|refused|unreachable": Fault("the server does not answer", _NETWORK, passing=True),
    r"timed? ?out|too slow": Fault("the server stopped sending", _NETWORK, passing=True),
    r"key does not exist|NoSuch|bucket does not exist": Fault("it is not there", _ADDRESS, passing=False, gone=True),
    r"Access ?Denied|InvalidAccessKey|SignatureDoesNotMatch|AWS_SECRET|InvalidCredentials|Forbidden": Fault(
        "access is denied", _KEY, passing=False
    ),
    r"not recognized as|No such file": Fault("what comes is no raster file", _PAGE, passing=False),
    r"got \d+ bytes, expected|Cannot read|Read failed|read error": _BROKEN,
}
"""Words in the errors of GDAL, curl and Python -> what they mean; the first that is found."""


def fault_of(error: BaseException, spent_s: float = 0.0) -> Fault:
    """What an error of GDAL or of `urlopen` says, with what to do."""
    text = " | ".join(_chain(error))
    if status := re.search(r"(?:response code:?|HTTP Error|too many) (\d{3})|\b(416): Range", text):
        return fault_of_status(int(status[1] or status[2]))
    found = next((fault for words, fault in _WORDS.items() if re.search(words, text, re.IGNORECASE)), None)
    stall_s = seconds("GDAL_HTTP_LOW_SPEED_TIME")
    if found is _BROKEN and spent_s >= stall_s:
        return Fault(f"the server stopped sending for {stall_s:g} s", _NETWORK, passing=True)
    return found or Fault(redact(text)[:300], _NETWORK, passing=False)


def fault_of_status(status: int) -> Fault:
    """What a status of HTTP means here."""
    if status in (401, 403, 409):  # 409: what Azure says of a box that is not public
        return Fault(f"access is denied ({status})", _KEY, passing=False)
    if status in (404, 410):
        return Fault(f"it is not there ({status})", _ADDRESS, passing=False, gone=True)
    if status == 416:
        return Fault("it is shorter than its own index says (416)", _CUT, passing=False)
    return Fault(f"the server answers {status}", _WAIT, passing=status in PASSING)


def _chain(error: BaseException | None) -> Iterator[str]:
    while error is not None:
        yield str(error)
        error = error.__cause__ or error.__context__


# ------------------------------------------------------------------------------------------------ metadata
@dataclass(frozen=True, slots=True)
class Facts:
    """What a server says of a file without sending it."""

    size_bytes: int = 0
    etag: str = ""


def facts(path: str | Path) -> Facts:
    """Size and ETag of a remote file, by one request for its first byte; nothing where HTTP does not give them.

    A request for a byte rather than a HEAD: keys of presigned URLs are for GET only.

    Raises
    ------
    SourceError
        Where the server does not answer.
    """
    url = str(path).removeprefix("/vsicurl/")
    if not is_web(url):
        return Facts()
    status, said, _ = _get(url, {"Range": "bytes=0-0"}, limit=1)
    if status != 206:  # denied without GDAL's own credentials, a login page, a server without ranges
        return Facts()
    total = said.get("Content-Range", "").rpartition("/")[2]
    return Facts(int(total) if total.isdigit() else 0, said.get("ETag", ""))


def is_web(source: object) -> bool:
    """Whether it is an `http(s)://` address."""
    return isinstance(source, str) and source.lower().startswith(("http://", "https://"))


def fetch(url: str) -> bytes:
    """Bytes of a document at an `http(s)://` address, with the same patience as for pixels.

    Raises
    ------
    SourceError
        Where the server does not answer, denies it, has no such document, or stops sending.
    """
    status, _, data = _get(url, {"Accept": "application/geo+json, application/json, */*"})
    if status >= 400:
        raise failure(url, fault_of_status(status))
    return data


def _get(url: str, headers: Mapping[str, str], limit: int | None = None) -> tuple[int, Mapping[str, str], bytes]:
    """(status, headers, at most `limit` bytes) of an answer; statuses that may pass are waited for."""
    request = Request(url, headers=dict(headers))  # noqa: S310 - `is_web` was asked, and redirects stay on the web

    def ask(_: Mapping[str, str]) -> tuple[int, Mapping[str, str], bytes]:
        try:
            with urlopen(request, timeout=seconds("GDAL_HTTP_LOW_SPEED_TIME")) as answer:  # noqa: S310
                return answer.status, dict(answer.headers.items()), _body(answer, limit)
        except HTTPError as error:
            error.close()
            if error.code in PASSING:
                raise
            return error.code, {}, b""

    return steadily(url, ask, (OSError, HTTPException))


def _body(answer: Any, limit: int | None) -> bytes:
    until, data = time.monotonic() + seconds("GDAL_HTTP_TIMEOUT"), bytearray()
    while (limit is None or len(data) < limit) and (chunk := answer.read1(CHUNK)):
        data += chunk
        if time.monotonic() > until:
            raise TimeoutError("timed out")
    return bytes(data)
