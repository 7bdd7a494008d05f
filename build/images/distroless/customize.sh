#!/bin/sh
# Run by mmdebstrap on the unpacked packages: puts what the distroless image has, and no more, into
# the folder distroless. There is neither a shell nor a library in it.
set -eu
root=$1
new=$root/distroless
mkdir -p "$new/etc/ssl/certs" "$new/usr/share" "$new/usr/lib" "$new/home" "$new/var"

cat "$root"/usr/share/ca-certificates/mozilla/*.crt >"$new/etc/ssl/certs/ca-certificates.crt"
cp -a "$root/usr/share/zoneinfo" "$new/usr/share/zoneinfo"
rm -rf "$new/usr/share/zoneinfo/right" "$new/usr/share/zoneinfo/posix"
cp "$root/usr/lib/os-release" "$new/usr/lib/os-release"
ln -s ../usr/lib/os-release "$new/etc/os-release"
echo 'hosts: files dns' >"$new/etc/nsswitch.conf"
cat >"$new/etc/passwd" <<'PASSWD'
root:x:0:0:root:/root:/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin
nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin
PASSWD
cat >"$new/etc/group" <<'GROUP'
root:x:0:
nobody:x:65534:
tty:x:5:
staff:x:50:
nonroot:x:65532:
GROUP
install -d -m 700 "$new/root"
install -d -m 1777 "$new/tmp" "$new/var/tmp"
