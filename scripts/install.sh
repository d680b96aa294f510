# Installs the npm packages of package-lock.json and of examples, once; sourced by the other scripts.
# Scripts of packages stay off, so nothing is fetched from outside the registry.
for folder in . examples/digits; do
  if [ ! -e $folder/node_modules/.inlay-installed ] || [ $folder/package-lock.json -nt $folder/node_modules/.inlay-installed ]; then
    echo "installing npm packages" >&2
    (cd $folder && npm ci --ignore-scripts --no-fund --no-audit --loglevel=error) >&2 || exit 3
    touch $folder/node_modules/.inlay-installed
  fi
done
case "$(uname -s)-$(uname -m)" in
  Linux-x86_64) platform=linux-x64 ;;
  Linux-aarch64) platform=linux-aarch64 ;;
  Darwin-arm64) platform=darwin-aarch64 ;;
  *) platform=darwin-x64 ;;
esac
bun=$PWD/node_modules/@oven/bun-$platform/bin/bun
