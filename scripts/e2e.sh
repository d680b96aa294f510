#!/bin/sh
# npm run e2e: the walk through the real parts. Installs the Debian packages it needs (root), then runs e2e/.
cd "$(dirname "$0")/.." || exit 3
. scripts/install.sh
missing=
for package in chromium docker-registry prometheus runc skopeo umoci; do
  dpkg -s "$package" >/dev/null 2>&1 || missing="$missing $package"
done
if [ -n "$missing" ]; then
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "e2e needs$missing: install them, or run it as root on Debian" >&2
    exit 3
  fi
  echo "installing$missing" >&2
  apt-get update -qq >&2 || exit 3
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null || exit 3
fi
if ! command -v go >/dev/null; then
  echo "e2e needs Go: it builds crane and cosign (e2e/go, e2e/cosign)" >&2
  exit 3
fi
exec "$bun" test --no-env-file --timeout 600000 ./e2e "$@"
