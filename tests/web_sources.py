"""A web server that answers as badly as servers can, for tests of who asks it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import sleep


@dataclass
class Web:
    """Answers by path; what was asked, with its headers."""

    port: int
    answers: dict[str, Callable[[BaseHTTPRequestHandler], None]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    def says(self, path: str, content: bytes, code: int = 200, **headers: object) -> str:
        """A path that answers so; its URL."""
        shown = {"Content-Length": len(content), "Connection": "close"}
        named = {name.replace("_", "-"): value for name, value in headers.items()}

        def answer(here: BaseHTTPRequestHandler) -> None:
            here.send_response(code)
            for name, value in (shown | named).items():
                if value is not None:
                    here.send_header(name, str(value))
            here.end_headers()
            here.wfile.write(content)

        self.answers[path] = answer
        return self.url(path)

    def drips(self, path: str, pause: float) -> str:
        """A path that never ends and never is silent for long."""

        def answer(here: BaseHTTPRequestHandler) -> None:
            here.send_response(200)
            here.end_headers()
            while True:
                here.wfile.write(b"1")
                here.wfile.flush()
                sleep(pause)

        self.answers[path] = answer
        return self.url(path)

    def floods(self, path: str) -> str:
        """A path that sends without an end, as fast as it is taken."""

        def answer(here: BaseHTTPRequestHandler) -> None:
            here.send_response(200)
            here.end_headers()
            while True:
                here.wfile.write(b"0" * 2**20)

        self.answers[path] = answer
        return self.url(path)

    def breaks(self, path: str, content: bytes) -> str:
        """A path that sends this instead of an answer, and hangs up."""

        def answer(here: BaseHTTPRequestHandler) -> None:
            here.wfile.write(content)

        self.answers[path] = answer
        return self.url(path)


@contextmanager
def served_web() -> Iterator[Web]:
    """The server, until the end of the test."""

    class Here(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            web.asked.append((self.path, dict(self.headers.items())))
            self.close_connection = True
            with suppress(OSError):  # whoever asked has hung up
                web.answers[self.path.partition("?")[0]](self)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

    server = Server(("127.0.0.1", 0), Here)
    web = Web(server.server_port)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield web
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
