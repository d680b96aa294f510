#!/bin/sh
# npm run test:python: the tests of python/, and exports of real frameworks that this checkout's inlay checks and serves, in a
# Python environment of their own outside the tree (1.1 GB, made once for a requirements file); then npm run test:oip, unless
# arguments for pytest choose some tests.
cd "$(dirname "$0")/.." || exit 3
. scripts/install.sh
venv=${INLAY_PYTHON_ENV:-${XDG_CACHE_HOME:-$HOME/.cache}/inlay-python}
stamp=$(cat python/pyproject.toml python/requirements-test.txt | sha256sum | cut -c1-16)
if [ ! -e "$venv/$stamp" ]; then
  rm -rf "$venv"
  python3 -m venv "$venv" || exit 3
  "$venv/bin/pip" install -q --disable-pip-version-check -r python/requirements-test.txt >&2 || exit 3
  touch "$venv/$stamp"
fi
(cd python && PYTHONPATH=. exec "$venv/bin/python" -m pytest -q -p no:cacheprovider --ignore=tests/oip "$@") || exit
[ $# -gt 0 ] || exec sh scripts/test-oip.sh
