"""/openapi.json, asked and fuzzed by schemathesis: the server keeps what the document says."""

import subprocess

import pytest

from .serving import ROOT, serve

CASES = {
    "others": ("iris", ["--exclude-path-regex", "/infer$"]),
    # JSON Schema cannot say that data has as many values as the shape: what it allows there is not always taken.
    "infer": ("iris", ["--include-path-regex", "/infer$", "--exclude-checks", "positive_data_acceptance"]),
    # Nor which bytes are an image.
    "uploads": ("digits", ["--exclude-path-regex", "/infer$", "--exclude-checks", "positive_data_acceptance"]),
}


@pytest.mark.parametrize("paths", CASES)
def test_nothing_is_found(tmp_path, paths):
    example, options = CASES[paths]
    with serve(ROOT / "examples" / example) as served:
        command = ["schemathesis", "run", f"http://{served.http}/openapi.json", "-n", "50", "--seed", "1", *options]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:]
