#!/bin/sh
# Run by mmdebstrap on the finished system: what makes it the image's stand-in, and small.
set -eu
root=$1
here=$(dirname "$0")

install -m 755 "$here/docker-entrypoint.sh" "$root/usr/local/bin/docker-entrypoint.sh"
mkdir -p "$root/docker-entrypoint-initdb.d"

# The official image listens on every address; Debian's sample on localhost only.
sed -i "s/^#listen_addresses = .*/listen_addresses = '*'/" "$root"/usr/share/postgresql/17/postgresql.conf.sample
grep -q "^listen_addresses = '\*'" "$root"/usr/share/postgresql/17/postgresql.conf.sample

install -d -m 1777 -o "$(stat -c %u "$root/var/lib/postgresql")" "$root/var/lib/postgresql/data"
chroot "$root" sh -c 'chown -R postgres:postgres /var/lib/postgresql && mkdir -p /var/run/postgresql && chown postgres:postgres /var/run/postgresql && chmod 3777 /var/run/postgresql'

# No just-in-time compiler: LLVM would be a third of the image, and cairn turns it off.
rm -f "$root"/usr/lib/postgresql/17/lib/llvmjit*.so
rm -f "$root"/usr/lib/*/libLLVM* "$root"/usr/lib/*/libz3.so*
rm -rf "$root"/usr/lib/llvm-*
# Debian's psql and its kin are Perl wrappers that choose among clusters; here there is one version.
for tool in "$root"/usr/lib/postgresql/17/bin/*; do
	ln -sf "../lib/postgresql/17/bin/$(basename "$tool")" "$root/usr/bin/$(basename "$tool")"
done
# Perl serves Debian's cluster tools (pg_createcluster and the like), which the image doesn't use.
rm -rf "$root"/usr/share/perl "$root"/usr/share/perl5 "$root"/usr/lib/*/perl "$root"/usr/lib/*/perl5
rm -f "$root"/usr/lib/*/libperl.so*
. "$here/../shrink.sh"
