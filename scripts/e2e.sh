#!/bin/sh
# npm run e2e: the walk through the real parts; npm run e2e:full: releases at length, and what a cluster does to them.
# Installs the Debian packages it needs (root), builds the cluster and the Go programs, then runs e2e/.
cd "$(dirname "$0")/.." || exit 3
. scripts/install.sh
missing=
for package in chromium containerd docker-registry postgresql prometheus qemu-user-static runc skopeo umoci; do
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
# The cluster of e2e/cluster, unless another is named (INLAY_E2E_REGISTRY and KUBECONFIG). One that is up already is left up.
trap 'exit 130' INT TERM
if [ -z "$INLAY_E2E_REGISTRY" ]; then
  recipe=$PWD/e2e/cluster/cluster
  "$recipe" build >&2 || exit 3
  INLAY_E2E_KUBECTL=$("$recipe" bin)/kubectl
  export INLAY_E2E_KUBECTL
  state=${CLUSTER_DIR:-/tmp/inlay-cluster}
  # What a machine that was stopped left of one is taken away first.
  if [ -e "$state" ] && ! kill -0 "$(cat "$state/pids/apiserver" 2>/dev/null)" 2>/dev/null; then "$recipe" down >&2; fi
  if [ ! -e "$state" ]; then
    trap '"$recipe" down' EXIT
    "$recipe" up >&2 || exit 3
  fi
fi
if [ "$1" = full ]; then
  shift
  "$bun" test --no-env-file --timeout 3600000 ./e2e/full "$@"
  exit
fi
# Not while tests wait for one another's answers.
"$bun" e2e/go-programs.ts || exit 3
files() { find ./e2e -name '*.test.ts' -not -path './e2e/full/*' "$@" | sort; }
walk() { exec "$bun" test --no-env-file --timeout 600000 "$@"; }
if [ $# -gt 0 ]; then
  # shellcheck disable=SC2046
  (walk $(files) "$@")
  exit
fi
# Releases wait for the cluster most of their time: they go beside all else, whose output comes when it has ended.
log=$(mktemp)
# shellcheck disable=SC2046
(walk $(files -not -path './e2e/release*')) >"$log" 2>&1 &
rest=$!
trap 'kill $rest 2>/dev/null; exit 130' INT TERM
# shellcheck disable=SC2046
(walk $(files -path './e2e/release*'))
released=$?
wait $rest
rested=$?
cat "$log"
rm -f "$log"
[ $released = 0 ] && [ $rested = 0 ]
