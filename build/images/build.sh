#!/bin/bash
# Makes the images that cairn grades against available to the local Docker engine.
#
#   build/images/build.sh            all of them
#   build/images/build.sh postgres   those that are named (postgres, redis, golang, distroless)
#
# For each image, in this order: nothing if the engine already has it; docker pull; and where no
# registry can be reached, a stand-in of the same name is built from Debian packages. A stand-in
# keeps the official image's contract (see README.md beside this file) and carries the label
# org.cairn.standin, so that it can be told from the real one.
#
# Environment:
#   CAIRN_POSTGRES_IMAGE, CAIRN_REDIS_IMAGE  other images; these are pulled, never built
#   CAIRN_IMAGES_OFFLINE=1                   don't try to pull
#   CAIRN_DEBIAN_MIRROR                      mirror for the packages; default: the host's own
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
suite=trixie
postgres_default=pgvector/pgvector:pg17
redis_default=redis:8-alpine
postgres_image=${CAIRN_POSTGRES_IMAGE:-$postgres_default}
redis_image=${CAIRN_REDIS_IMAGE:-$redis_default}
# Dockerfiles and workflows name these, so there is nothing to choose.
golang_default=golang:1.26
golang_image=$golang_default
distroless_default=gcr.io/distroless/static-debian12:nonroot
distroless_image=$distroless_default

say() { printf 'images: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

present() { docker image inspect --format '{{.Id}}' "$1" >/dev/null 2>&1; }

# pull fetches an image. A registry that says nothing for 15 s counts as out of reach; one that
# answers may take its time.
pull() {
	[[ ${CAIRN_IMAGES_OFFLINE:-} ]] && return 1
	local log pid waited=0 status=0
	log=$(mktemp)
	docker pull "$1" >"$log" 2>&1 &
	pid=$!
	while kill -0 "$pid" 2>/dev/null; do
		if ((waited++ >= 75)) && ! [[ -s $log ]]; then
			kill "$pid" 2>/dev/null || true
			break
		fi
		sleep 0.2
	done
	wait "$pid" || status=$?
	((status == 0)) || say "cannot pull $1: $(tail -n 1 "$log")"
	rm -f "$log"
	return "$status"
}

# mirror prints the address the host's own apt uses for Debian.
mirror() {
	if [[ ${CAIRN_DEBIAN_MIRROR:-} ]]; then
		echo "$CAIRN_DEBIAN_MIRROR"
		return
	fi
	local found
	found=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
		grep -v '^[[:space:]]*#' | grep -oE 'https?://[^ ]+/debian/?( |$)' | head -n 1 | tr -d ' ' || true)
	found=${found:-http://deb.debian.org/debian}
	echo "${found%/}"
}

need_mmdebstrap() {
	command -v mmdebstrap >/dev/null && return
	command -v apt-get >/dev/null ||
		die "building stand-ins needs mmdebstrap, and this is no Debian; pull the images on a machine with a network and bring them over with docker save and docker load"
	local sudo=()
	[[ $(id -u) == 0 ]] || sudo=(sudo)
	say "installing mmdebstrap"
	# A machine that has just started may be installing something itself.
	local wait=(-o DPkg::Lock::Timeout=300)
	"${sudo[@]}" apt-get "${wait[@]}" update -qq >&2
	"${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
		apt-get "${wait[@]}" install -y -qq --no-install-recommends mmdebstrap debian-archive-keyring >/dev/null
}

keyring() {
	local k
	for k in /usr/share/keyrings/debian-archive-keyring.{gpg,pgp}; do
		[[ -r $k ]] && { echo "$k"; return; }
	done
	die "no Debian archive keyring in /usr/share/keyrings; install debian-archive-keyring"
}

# rootfs TAR PACKAGES HOOK [VARIANT] makes a small Debian system with the packages. HOOK is a script
# run with the folder of the new system as its argument, before it is packed. VARIANT is mmdebstrap's.
rootfs() {
	local tar=$1 packages=$2 hook=$3 variant=${4:-essential} moment=customize m keys
	[[ $variant != extract ]] || moment=extract # the last one where nothing is configured
	m=$(mirror)
	keys=$(keyring)
	local security=${m%/debian}/debian-security
	mmdebstrap --quiet --variant="$variant" --architectures="$(dpkg --print-architecture)" \
		--keyring="$keys" --include="$packages" \
		--aptopt='Acquire::Languages "none"' --aptopt='Acquire::Retries "3"' \
		--dpkgopt=force-confold --dpkgopt=force-unsafe-io \
		--dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
		--dpkgopt='path-include=/usr/share/doc/*/copyright' \
		--dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/info/*' \
		--dpkgopt='path-exclude=/usr/share/lintian/*' --dpkgopt='path-exclude=/usr/share/bug/*' \
		--dpkgopt='path-exclude=/usr/share/i18n/*' \
		--dpkgopt='path-exclude=/usr/lib/*/gconv/*' \
		--dpkgopt='path-exclude=/usr/lib/postgresql/*/lib/bitcode/*' \
		--setup-hook="mkdir -p \"\$1/etc/postgresql-common\" && echo 'create_main_cluster = false' >\"\$1/etc/postgresql-common/createcluster.conf\"" \
		--$moment-hook="$hook \"\$1\"" \
		"$suite" "$tar" \
		"deb [signed-by=$keys] $m $suite main" \
		"deb [signed-by=$keys] $m $suite-updates main" \
		"deb [signed-by=$keys] $security $suite-security main" >&2 ||
		die "cannot build from the packages at $m: see above, or name another mirror in CAIRN_DEBIAN_MIRROR"
}

# pack_go TAR packs the Go of this machine, as it lies in the official image.
pack_go() {
	local root version
	command -v go >/dev/null || die "a stand-in for $golang_default packs the Go of this machine, and there is none"
	root=$(cd / && GOTOOLCHAIN=local go env GOROOT)
	version=$(cd / && GOTOOLCHAIN=local go env GOVERSION)
	[[ $version == go${golang_default#*:} || $version == go${golang_default#*:}.* ]] ||
		die "a stand-in for $golang_default packs the Go of this machine, and that is $version"
	local elsewhere=() name
	for name in aix android darwin dragonfly freebsd illumos ios js netbsd openbsd plan9 solaris wasip1 windows \
		386 arm loong64 mips{,le,x} mips64{,le,x} ppc64{,le,x} riscv64 s390x wasm; do
		elsewhere+=(--exclude="*_$name.go" --exclude="*_$name.s" --exclude="*_${name}_*.go" --exclude="*_${name}_*.s")
	done
	tar -C "$root" --owner=0 --group=0 --mode=u+w --exclude=./test --exclude=./api --exclude=./doc --exclude=./misc \
		--exclude=testdata --exclude='*_test.go' --exclude=./src/cmd "${elsewhere[@]}" \
		--transform='s,^\.,usr/local/go,' -cf "$1" .
}

# build NAME IMAGE FOLDER builds one stand-in, with FOLDER as the workshop.
build() {
	local packages variant=essential
	case $1 in
	postgres) packages=postgresql-17,postgresql-17-pgvector ;;
	redis) packages=redis-server ;;
	golang)
		packages=git,gcc,libc6-dev,make,curl,ca-certificates,tzdata
		pack_go "$3/go.tar"
		cp -r "$here/golang/warm" "$3/warm"
		;;
	distroless) packages=base-files,ca-certificates,tzdata variant=extract ;;
	esac
	rootfs "$3/rootfs.tar" "$packages" "$here/$1/customize.sh" "$variant"
	if [[ $1 == distroless ]]; then
		tar -C "$3" -xf "$3/rootfs.tar" ./distroless
		mkdir "$3/home"
		tar -C "$3/distroless" --owner=0 --group=0 -cf "$3/rootfs.tar" .
	fi
	local log
	log=$(docker build --quiet --tag "$2" --file "$here/$1/Dockerfile" "$3" 2>&1) || die "docker build of $2 failed: $log"
}

# provide NAME makes one image present.
provide() {
	local name=$1 image default
	image=${name}_image default=${name}_default
	image=${!image} default=${!default}
	present "$image" && return
	say "$image is missing, pulling it"
	if pull "$image"; then
		say "$image pulled"
		return
	fi
	[[ $image == "$default" ]] ||
		die "$image can neither be pulled nor built here: stand-ins are made only for $default; load it with docker load, or unset CAIRN_${name^^}_IMAGE"
	need_mmdebstrap
	say "building a stand-in for $image from Debian $suite, this takes a minute or two"
	work=$(mktemp -d /var/tmp/cairn-images.XXXXXX)
	chmod 755 "$work"
	build "$name" "$image" "$work"
	rm -rf "$work"
	say "$image built: $(docker image inspect --format '{{.Size}}' "$image" | awk '{printf "%d MB", $1/1e6}')"
}

command -v docker >/dev/null || die "there is no docker command; install Docker, see https://docs.docker.com/engine/install/"
wanted=("$@")
((${#wanted[@]})) || wanted=(postgres redis golang distroless)
for name in "${wanted[@]}"; do
	case $name in
	postgres | redis | golang | distroless) ;;
	*) die "unknown image '$name'; there are postgres, redis, golang and distroless" ;;
	esac
done

missing=()
for name in "${wanted[@]}"; do
	image=${name}_image
	present "${!image}" || missing+=("$name")
done
((${#missing[@]})) || exit 0

docker version >/dev/null 2>&1 || die "no Docker engine answers: $(docker version 2>&1 | tail -n 1)"
# One at a time on this machine; whoever comes second finds the images made.
exec 9>"${TMPDIR:-/tmp}/cairn-images.$(id -u).lock"
if command -v flock >/dev/null; then flock 9; fi
work=
trap '[[ ! $work ]] || rm -rf "$work"' EXIT
for name in "${missing[@]}"; do
	provide "$name"
done
