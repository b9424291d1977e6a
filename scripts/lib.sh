# What the scripts share; sourced by them, not run.
# shellcheck shell=bash

say() { printf '%s\n' "$*"; }
complain() { printf '%s\n' "$*" >&2; }
die() {
    complain "$@"
    exit 1
}
has() { command -v "$1" >/dev/null 2>&1; }

# rustup's own directory is not in the PATH of every non-login shell.
has cargo || PATH="$PATH:${CARGO_HOME:-${HOME:-/root}/.cargo}/bin"

# The directory that cargo builds into, as an absolute path.
target_dir() {
    local dir=${CARGO_TARGET_DIR:-target}
    [[ $dir == /* ]] || dir=$PWD/$dir
    say "$dir"
}

# Where in it a release is, for another machine too.
release_dir() {
    say "$(target_dir)/${CARGO_BUILD_TARGET:+$CARGO_BUILD_TARGET/}release"
}

# A Python that has GStreamer's bindings. The first python3 of the PATH need not be the one that the
# distribution's python3-gi belongs to (pyenv, conda), so each candidate is asked.
python_with_gst() {
    local python
    for python in ${PYTHON:+"$PYTHON"} python3 /usr/bin/python3 /usr/local/bin/python3; do
        if has "$python" && "$python" -c 'import gi
gi.require_version("Gst", "1.0")
from gi.repository import Gst' >/dev/null 2>&1; then
            say "$python"
            return 0
        fi
    done
    return 1
}
