#!/bin/sh
# Run by mmdebstrap on the finished system.
set -eu
root=$1
here=$(dirname "$0")
. "$here/../shrink.sh"
# Perl serves commands of git that no build uses. Some engines compare all files of an image after
# each step of a build, so few files make quick builds.
rm -rf "$root"/usr/share/perl "$root"/usr/share/perl5 "$root"/usr/lib/*/perl
rm -rf "$root"/usr/share/ca-certificates
find "$root/etc/ssl/certs" -type l -delete
