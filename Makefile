.PHONY: help toolchain demo test bench tools fmt
.DEFAULT_GOAL := help

help:
	@echo "make demo          a pull request and a merge request are triaged here, to look at (ONCE=1: print and exit)"
	@echo "make test          everything that must hold"
	@echo "make bench         what is measured"
	@echo "make fmt           format the code"

# What no script here can install.
toolchain:
	@command -v cargo >/dev/null || { echo "Install a Rust toolchain first, then run this again."; exit 1; }
	@command -v cc >/dev/null || { echo "Install a C compiler first (Debian: apt-get install gcc libc6-dev; macOS: xcode-select --install), then run this again."; exit 1; }

demo: toolchain
	@echo "Building (the first time takes some minutes) …" >&2
	@cargo build --workspace --bins
	@"$${CARGO_TARGET_DIR:-target}/debug/chaffinch" demo $(if $(ONCE),--once)

test: toolchain
	@cargo fmt --version >/dev/null 2>&1 && cargo clippy --version >/dev/null 2>&1 || { echo "Installing rustfmt and clippy with rustup …"; rustup component add rustfmt clippy || { echo "Install rustfmt and clippy, then run this again."; exit 1; }; }
	@tests/run.sh

tools:
	@tests/tools.sh

bench: tools
	cargo build --workspace --release --bins
	cargo bench --workspace

fmt:
	cargo fmt --all
