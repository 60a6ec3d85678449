"""Servers on 127.0.0.1 for tests of remote reading: files by HTTP range requests, with the faults a network has."""

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


@dataclass
class Asked:
    """One request the server got."""

    method: str
    path: str
    query: str
    first: int | None
    """First byte of the range asked for; None where no range was."""
    size: int
    """Bytes sent."""


@dataclass
class Files:
    """What is served, how it fails, and what was asked."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    """Path (`/a.tif`) -> bytes."""
    asked: list[Asked] = field(default_factory=list)
    status: dict[str, list[int]] = field(default_factory=dict)
    """Path -> statuses of the next requests, before files are served; the last one stays where it is negative."""
    stall_from: int | None = None
    """Requests for bytes from here on get their header and then nothing."""
    cut_from: int | None = None
    """Requests for bytes from here on lose their connection half-way."""
    answer: object = None
    """Called with (path, query, body, method) for what is no file: bytes, or None for a 404."""
    released: threading.Event = field(default_factory=threading.Event)

    @property
    def bytes_sent(self) -> int:
        return sum(one.size for one in self.asked)

    def forget(self) -> None:
        self.asked.clear()


def _handler(served: Files) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args):
            pass

        def do_HEAD(self):
            self._serve(body=False)

        def do_GET(self):
            self._serve(body=True)

        def do_POST(self):
            length = int(self.headers.get("Content-Length", 0))
            self._serve(body=True, given=self.rfile.read(length))

        def _serve(self, body, given=b""):
            where = urlsplit(self.path)
            statuses = served.status.get(where.path)
            if statuses:
                code = abs(statuses[0])
                if statuses[0] > 0:
                    statuses.pop(0)
                served.asked.append(Asked(self.command, where.path, where.query, None, 0))
                return self._plain(code, b"no" if body else b"")
            data = served.files.get(where.path)
            if data is None:
                data = served.answer(where.path, where.query, given, self.command) if served.answer else None
                served.asked.append(Asked(self.command, where.path, where.query, None, len(data or b"")))
                return self._plain(404 if data is None else 200, b"" if not body else data or b"no such thing")
            return self._file(where, data, body)

        def _plain(self, code, data):
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def _file(self, where, data, body):
            found = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
            first = int(found[1]) if found else 0
            last = min(int(found[2]) if found and found[2] else len(data) - 1, len(data) - 1)
            if first >= len(data):
                served.asked.append(Asked(self.command, where.path, where.query, first, 0))
                return self._plain(416, b"")
            part = data[first : last + 1]
            served.asked.append(Asked(self.command, where.path, where.query, first if found else None, len(part)))
            self.send_response(206 if found else 200)
            self.send_header("Accept-Ranges", "bytes")
            self.send_header("ETag", f'"{len(data)}-{hash(data) & 0xFFFF}"')
            self.send_header("Content-Length", str(len(part)))
            if found:
                self.send_header("Content-Range", f"bytes {first}-{last}/{len(data)}")
            self.end_headers()
            if not body:
                return None
            if served.stall_from is not None and first >= served.stall_from:
                self.wfile.flush()
                served.released.wait(60)
                self.close_connection = True
                return None
            if served.cut_from is not None and first >= served.cut_from:
                self.wfile.write(part[: len(part) // 2])
                self.close_connection = True
                return None
            self.wfile.write(part)
            return None

    return Handler


@contextmanager
def serving(**files: object) -> Iterator[Files]:
    """A server of files, on a free port of this machine; `a_tif=bytes` is served as `/a.tif`."""
    served = Files(files={f"/{name.replace('_', '.')}": data for name, data in files.items()})

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, request, client_address):
            """A client that hangs up is what some tests are about."""

    server = Server(("127.0.0.1", 0), _handler(served))
    served.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield served
    finally:
        served.released.set()
        server.shutdown()
        server.server_close()
        thread.join(5)
        time.sleep(0)
