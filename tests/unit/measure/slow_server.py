"""A server of the standard library that answers V2 requests after a known delay, and fails when told to."""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from modelyard.measure.launch import Target


@contextlib.contextmanager
def slow_server(delay_s: float) -> Iterator[tuple[Target, list[str]]]:
    """The target, and the texts that it was asked for, in order. A text `refuse` gets 503, `hang up` no answer."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 16  # one packet an answer: two of them meet Nagle's algorithm and a delayed acknowledgement

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            text = body["inputs"][0]["data"][0]
            asked.append(text)
            time.sleep(delay_s)
            if text == "hang up":
                self.close_connection = True
                return
            answer = b'{"error": "busy"}' if text == "refuse" else b'{"outputs": []}'
            self.send_response(503 if text == "refuse" else 200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield Target("slow", server.server_address[1], "/v2/models/slow/infer", "text", os.getpid()), asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
