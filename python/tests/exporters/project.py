"""A project that a test exports into, and the inlay of this checkout to hold it to."""

import contextlib
import json
import os
import subprocess
import urllib.request
from pathlib import Path

from inlay_golden import environment

INLAY = Path(__file__).parents[3] / "bin" / "inlay"
# Nobody routes traffic here: no need to wait for them to notice the end.
ENV = {**os.environ, "DRAIN_S": "0"}


class Project:
    def __init__(self, dir: Path) -> None:
        self.dir = dir

    @property
    def model(self) -> Path:
        return self.dir / "model.onnx"

    @property
    def config(self) -> str:
        return (self.dir / "inlay.yaml").read_text()

    def pin(self, *packages: str) -> None:
        """Writes requirements.txt with the versions that are installed here."""
        installed = environment()
        (self.dir / "requirements.txt").write_text("".join(f"{name}=={installed[name]}\n" for name in packages))

    def init(self, *more: str) -> None:
        subprocess.run([INLAY, "init", self.dir], check=True, capture_output=True)
        with (self.dir / "inlay.yaml").open("a") as file:
            file.writelines(f"{line}\n" for line in more)

    def check(self) -> list:
        """What `inlay check` finds, as (severity, code)."""
        done = subprocess.run([INLAY, "check", self.dir, "--json"], capture_output=True, text=True, check=False)
        report = json.loads(done.stdout)
        assert report["ok"] is (done.returncode == 0), done.stderr
        return [(finding["severity"], finding["code"]) for finding in report["findings"]]

    def passes(self, rows: int, *warnings: str) -> None:
        """Holds that check finds nothing but these warnings, and that it compared so many golden rows."""
        assert self.check() == [("warning", code) for code in warnings], self.config
        told = subprocess.run([INLAY, "check", self.dir], capture_output=True, text=True, check=True)
        assert f"{rows} rows from training" in told.stdout + told.stderr

    @contextlib.contextmanager
    def serve(self):
        """Starts `inlay serve` on a free port; gives a function that predicts one row, or what `body` holds, through it."""
        server = subprocess.Popen(
            [INLAY, "serve", self.dir, "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=ENV
        )
        try:
            url = server.stdout.readline().split()[-1]

            def predict(row=None, route="/predict", body=None):
                body = json.dumps(body or {"data": [row]}, allow_nan=False).encode()
                with urllib.request.urlopen(url + route, data=body, timeout=10) as answer:
                    return json.load(answer)["prediction"]

            yield predict
        finally:
            server.terminate()
            server.communicate(timeout=20)
