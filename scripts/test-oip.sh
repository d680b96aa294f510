#!/bin/sh
# npm run test:oip: the Open Inference Protocol as clients that others wrote speak it, and /openapi.json as schemathesis reads it, in
# a Python environment of their own outside the tree: tritonclient wants an older protobuf than the exporters do.
cd "$(dirname "$0")/.." || exit 3
. scripts/install.sh
requirements=python/tests/oip/requirements.txt
venv=${INLAY_OIP_ENV:-${XDG_CACHE_HOME:-$HOME/.cache}/inlay-oip}
stamp=$(sha256sum <$requirements | cut -c1-16)
if [ ! -e "$venv/$stamp" ]; then
  rm -rf "$venv"
  python3 -m venv "$venv" || exit 3
  "$venv/bin/pip" install -q --disable-pip-version-check -r $requirements >&2 || exit 3
  touch "$venv/$stamp"
fi
INLAY_BUN=$bun PATH="$venv/bin:$PATH" exec "$venv/bin/python" -m pytest -q -p no:cacheprovider python/tests/oip "$@"
