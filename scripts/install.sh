# Installs the npm packages of package-lock.json, once; sourced by the other scripts.
# Scripts of packages stay off (.npmrc), so nothing is fetched from outside the registry.
if [ ! -e node_modules/.inlay-installed ] || [ package-lock.json -nt node_modules/.inlay-installed ]; then
  echo "installing npm packages" >&2
  npm ci --no-fund --no-audit --loglevel=error >&2 || exit 3
  touch node_modules/.inlay-installed
fi
case "$(uname -s)-$(uname -m)" in
  Linux-x86_64) platform=linux-x64 ;;
  Linux-aarch64) platform=linux-aarch64 ;;
  Darwin-arm64) platform=darwin-aarch64 ;;
  *) platform=darwin-x64 ;;
esac
bun=$PWD/node_modules/@oven/bun-$platform/bin/bun
