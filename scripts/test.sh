#!/bin/sh
# npm test: installs, then types, style and the tests that need neither root nor the network.
cd "$(dirname "$0")/.." || exit 3
. scripts/install.sh
set -e
node_modules/.bin/tsc --noEmit
node_modules/.bin/biome ci --error-on-warnings .
exec "$bun" test --no-env-file --timeout 60000 ./test "$@"
