#!/bin/sh
# Run by mmdebstrap on the finished system.
set -eu
root=$1
here=$(dirname "$0")
. "$here/../shrink.sh"
# Some engines compare all files of an image after each step of a build, so few files make quick
# builds. Perl serves commands of git that no build uses, and most headers other processors or devices.
rm -rf "$root"/usr/share/perl "$root"/usr/share/perl5 "$root"/usr/lib/*/perl "$root"/usr/lib/*/perl-base
rm -rf "$root"/usr/share/ca-certificates "$root"/var/lib/dpkg/info/* "$root"/usr/lib/*/gconv
find "$root/etc/ssl/certs" -type l -delete
here_is=$(basename "$(find "$root/usr/lib" -maxdepth 1 -name '*-linux-gnu' -type d)")
for folder in "$root"/usr/include/*-linux-gnu*; do
	[ "$(basename "$folder")" = "$here_is" ] || rm -rf "$folder"
done
used=$(readlink "$root/usr/include/$here_is/asm/unistd.h" | sed -n 's,.*/uapi/\([^/]*\)/.*,\1,p')
if [ -n "$used" ]; then
	find "$root/usr/lib/linux/uapi" -mindepth 1 -maxdepth 1 ! -name "$used" -exec rm -rf {} +
fi
for folder in drm misc mtd rdma regulator scsi sound video xen; do
	rm -rf "$root/usr/include/$folder"
done
find "$root/usr/include/linux" -mindepth 1 -type d -prune -exec rm -rf {} +
