#!/bin/sh
# npm run bench:serve, bench:soak and bench:hostile: installs the load generators (root, apt) and runs bench/serve/PROGRAM.ts.
# Peers are installed by the benchmark itself, into ~/.cache/inlay-bench.
cd "$(dirname "$0")/.." || exit 3
. scripts/install.sh
if ! command -v wrk >/dev/null || ! command -v h2load >/dev/null; then
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "the benchmark needs wrk and h2load (nghttp2-client): install them, or run this as root on Debian" >&2
    exit 3
  fi
  echo "installing wrk and h2load" >&2
  apt-get update -qq >&2 || exit 3
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends wrk nghttp2-client >/dev/null || exit 3
fi
program=$1
shift
# ONNX Runtime, which the benchmark asks for the right answer, reports to its maker unless told not to.
ORT_DISABLE_TELEMETRY=1 exec "$bun" --no-env-file "bench/serve/$program.ts" "$@"
