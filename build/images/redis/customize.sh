#!/bin/sh
# Run by mmdebstrap on the finished system: what makes it the image's stand-in, and small.
set -eu
root=$1
here=$(dirname "$0")

install -m 755 "$here/docker-entrypoint.sh" "$root/usr/local/bin/docker-entrypoint.sh"
mkdir -p "$root/data"
chroot "$root" chown redis:redis /data
rm -f "$root/etc/redis/redis.conf"
. "$here/../shrink.sh"
