"""Small processes for tests of the supervisor; run as a script.

fake_service.py serve PORT        answers GET /readyz with 200
fake_service.py stubborn PORT     the same, and ignores SIGTERM
fake_service.py family PORT       the same, and has a child, whose pid it prints
fake_service.py crash             prints 30 numbered lines and exits with status 3
fake_service.py broken PORT       the same as serve, and GET /livez names a part that ended
fake_service.py environment PORT  the same as serve, and prints its SHEQUN_ variables
"""

# ruff: noqa: T201 - its output is what is tested

import os
import signal
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer


class Ready(BaseHTTPRequestHandler):
    life = (404, b"")

    def do_GET(self) -> None:
        status, body = self.life if self.path == "/livez" else (200 if self.path == "/readyz" else 404, b"")
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def main(kind: str, port: int) -> int:
    if kind == "crash":
        for number in range(30):
            print(f"crash line {number}")
        return 3
    if kind == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if kind == "family":
        child = subprocess.Popen(["sleep", "1000"])
        print(f"child {child.pid}", flush=True)
    if kind == "broken":
        Ready.life = (503, b'{"live": false, "dead": ["outbox"]}')
    if kind == "environment":
        for name in sorted(os.environ):
            if name.startswith("SHEQUN_"):
                print(f"{name}={os.environ[name]}", flush=True)
    HTTPServer(("127.0.0.1", port), Ready).serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 0))
