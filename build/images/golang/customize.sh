#!/bin/sh
# Run by mmdebstrap on the finished system.
set -eu
root=$1
here=$(dirname "$0")
. "$here/../shrink.sh"
