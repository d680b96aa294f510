"""`inlay serve` for the time of a test."""

import contextlib
import os
import re
import subprocess
import threading
from pathlib import Path

ROOT = Path(__file__).parents[3]


class Served:
    def __init__(self, http: str, grpc: str) -> None:
        self.http = http
        self.grpc = grpc


@contextlib.contextmanager
def serve(project: Path):
    """Starts `inlay serve` on free ports; gives host:port of HTTP and gRPC."""
    # Nobody routes traffic here: no need to wait for them to notice the end.
    env = {**os.environ, "DRAIN_S": "0", "PORT": "0"}
    command = [ROOT / "bin" / "inlay", "serve", project]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)
    try:
        http = server.stdout.readline().split("http://")[1].strip()
        grpc = next(found for line in server.stderr if (found := re.search(r"grpcPort=(\d+)", line)))
        # What it logs further is read, so that it does not wait for a reader.
        threading.Thread(target=server.stderr.read, daemon=True).start()
        yield Served(http, f"127.0.0.1:{grpc[1]}")
    finally:
        server.terminate()
        server.wait(timeout=20)
