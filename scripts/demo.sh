#!/bin/sh
# npm run demo: installs, then checks, builds and runs examples/iris and sends it every request.
cd "$(dirname "$0")/.." || exit 3
. scripts/install.sh
exec "$bun" --no-env-file scripts/demo.ts "$@"
