#!/usr/bin/env bash
# Fails when another choice of modules makes learners' programs more than a quarter dearer to build.
#
#	build/cost/check.sh           compare the workspace's modules with the accepted ones
#	build/cost/check.sh --accept  accept those of the workspace; say why in docs/performance.md
#
# accepted.mod and accepted.sum beside this file are the modules whose cost has been looked at. As long
# as the workspace requires the same, there is nothing to measure. Otherwise the reference solutions
# that use any module are built with both, in one run and with the flags of a grade: once with nothing
# of the modules compiled, and again after an edit, as every grade does. CPU seconds are user and system
# together; each is the least of five runs (the first compile: of two), so that a busy machine disturbs
# little. Programs that need a module which was not there before are left out of that, as there is
# nothing to compare them with: theirs is what they cost, and docs/performance.md says why it is worth it.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
workspace=$root/exercises/workspace

if [ "${1:-}" = --accept ]; then
	cp "$workspace/go.mod.tmpl" "$here/accepted.mod"
	cp "$workspace/go.sum.tmpl" "$here/accepted.sum"
	exit
fi
if cmp -s "$workspace/go.mod.tmpl" "$here/accepted.mod"; then
	echo "cost: the workspace requires what was accepted before"
	exit
fi

export GOFLAGS= GOWORK=off GOTOOLCHAIN=local CGO_ENABLED=0
flags=(-trimpath -buildvcs=false '-ldflags=-s -w')
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
TIMEFORMAT='%U %S'

cpu() { { time "$@" >/dev/null 2>"$work/err"; } 2>&1 | awk '{print $1+$2}'; }
least() { sort -n | head -1; }

# Exercises whose reference solution imports something beside the standard library and cairn.
exercises=$(cd "$root" && go list -f '{{$p := .}}{{range .Imports}}{{$p.ImportPath}} {{.}}{{"\n"}}{{end}}' ./exercises/... |
	awk -F'[ /]' '/\/exercises\/[a-z]+ / {print}' | grep -E ' [^ /]+\.[^ /]+/' | grep -v ' github.com/cairn-learn/' |
	sed -E 's#.*/exercises/([a-z]+) .*#\1#' | sort -u)
[ -n "$exercises" ] || { echo "cost: no exercise imports a module" >&2; exit 1; }

# prepare SIDE MOD SUM makes a workspace with every such exercise in it.
prepare() {
	mkdir "$work/$1"
	cp "$2" "$work/$1/go.mod"
	cp "$3" "$work/$1/go.sum"
	for id in $exercises; do
		mkdir "$work/$1/$id"
		cp "$root/exercises/$id"/*.go "$work/$1/$id/"
		cp -r "$root/exercises/$id/program" "$work/$1/$id/"
	done
	(cd "$work/$1" && go mod download)
}
prepare accepted "$here/accepted.mod" "$here/accepted.sum"
compared= newcomers=
for id in $exercises; do
	if (cd "$work/accepted" && go list -deps "./$id/program") >/dev/null 2>&1; then compared="$compared $id"; else newcomers="$newcomers $id"; fi
done
[ -n "$compared" ] || { echo "cost: no exercise builds with the accepted modules" >&2; exit 1; }
prepare now "$workspace/go.mod.tmpl" "$workspace/go.sum.tmpl"

mkdir "$work/std"
(cd "$work/std" && go mod init base 2>/dev/null && printf 'package main\nimport _ "net/http"\nfunc main() {}\n' >main.go &&
	GOCACHE=$work/cache-std go build "${flags[@]}" -o /dev/null .) >&2

# build SIDE [IDS] builds the programs of a side, by default those that are compared.
build() { (cd "$work/$1" && for id in ${2:-$compared}; do go build "${flags[@]}" -o "$work/$1/$id.bin" "./$id/program" || exit; done); }

# Both sides take turns, so that both meet the same machine.
for run in 1 2; do
	for side in accepted now; do
		rm -rf "$work/cache-$side"
		cp -r "$work/cache-std" "$work/cache-$side"
		GOCACHE=$work/cache-$side cpu build "$side" >>"$work/first-$side"
		[ -x "$work/$side/${compared##* }.bin" ] || { cat "$work/err" >&2; exit 1; }
	done
done
for run in 1 2 3 4 5; do
	for side in accepted now; do
		for id in $compared; do printf 'package %s\n\nvar edit = %d\n' "$id" "$run" >"$work/$side/$id/edit.go"; done
		GOCACHE=$work/cache-$side cpu build "$side" >>"$work/edit-$side"
	done
done

dearer=0
printf '%-24s %10s %10s %7s\n' "$(echo "$compared" | wc -w) programs, CPU s" accepted now ratio
for what in first edit; do
	before=$(least <"$work/$what-accepted") after=$(least <"$work/$what-now")
	case $what in first) title="first compile" ;; edit) title="after an edit" ;; esac
	awk -v t="$title" -v a="$before" -v b="$after" 'BEGIN {printf "%-24s %10.2f %10.2f %7.2f\n", t, a, b, b/a; exit b > 1.25*a}' || dearer=1
done
# What a newcomer costs by itself: the first compile beside all that the others have compiled.
for id in $newcomers; do
	GOCACHE=$work/cache-now cpu build now "$id" >"$work/new-first"
	for run in 1 2 3; do
		printf 'package %s\n\nvar edit = %d\n' "$id" "$run" >"$work/now/$id/edit.go"
		GOCACHE=$work/cache-now cpu build now "$id"
	done | least >"$work/new-edit"
	[ -x "$work/now/$id.bin" ] || { cat "$work/err" >&2; exit 1; }
	printf 'new, not compared: %s, first compile %.2f, after an edit %.2f CPU s\n' "$id" "$(cat "$work/new-first")" "$(cat "$work/new-edit")"
done
if [ "$dearer" = 1 ]; then
	echo "cost: learners' programs have become more than a quarter dearer to build. Take another version or" >&2
	echo "cost: module; or, if it is worth that, say so in docs/performance.md and run build/cost/check.sh --accept" >&2
	exit 1
fi
echo "cost: within a quarter of what was accepted; build/cost/check.sh --accept makes it the new measure"
