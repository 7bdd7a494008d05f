# Sourced by the customize.sh of images that run, with $root set: drops what a running server never reads.
rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/* "$root"/var/log/* "$root"/var/lib/dpkg/info/*.md5sums
rm -rf "$root"/usr/share/locale "$root"/usr/share/man "$root"/usr/share/info "$root"/usr/share/bash-completion
rm -rf "$root"/usr/share/zoneinfo/right "$root"/usr/share/zoneinfo/posix "$root"/etc/ssl/private/*
