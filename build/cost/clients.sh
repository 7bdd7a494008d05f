#!/usr/bin/env bash
# What a client library costs in a learner's program: CPU seconds to compile it the first time, and to
# compile and link again after an edit; size of the binary. Everything is built with the flags of a
# grade, in a build cache that has the standard library as far as net/http needs it, and nothing else.
#
#	build/cost/clients.sh [MODULE@VERSION ...]
#
# With no argument: the Redis clients of docs/performance.md. CPU seconds are user and system together, so
# that other work on the machine disturbs little; each is the least of three runs.
set -euo pipefail

clients=("$@")
if [ ${#clients[@]} -eq 0 ]; then
	clients=(none github.com/redis/go-redis/v9@v9.7.3 github.com/redis/go-redis/v9@v9.22.0
		github.com/redis/go-redis/v9@v9.23.0 github.com/redis/rueidis@v1.0.79)
fi
export GOFLAGS= GOWORK=off GOTOOLCHAIN=local CGO_ENABLED=0
flags=(-trimpath -buildvcs=false '-ldflags=-s -w')
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
TIMEFORMAT='%U %S'

# program prints a server that answers one request with the client's help.
program() {
	local client body
	case $1 in
	*go-redis*) client='"github.com/redis/go-redis/v9"'
		body='o, _ := redis.ParseURL("redis://127.0.0.1"); c := redis.NewClient(o)
	s := redis.NewScript("return 1")
	serve := func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, s.Run(r.Context(), c, []string{"k"}).Err()) }' ;;
	*rueidis*) client='"github.com/redis/rueidis"'
		body='c, _ := rueidis.NewClient(rueidis.MustParseURL("redis://127.0.0.1"))
	s := rueidis.NewLuaScript("return 1")
	serve := func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, s.Exec(r.Context(), c, []string{"k"}, nil).Error()) }' ;;
	*client_golang*) client='"github.com/prometheus/client_golang/prometheus"
		"github.com/prometheus/client_golang/prometheus/promhttp"'
		body='n := prometheus.NewCounter(prometheus.CounterOpts{Name: "n_total", Help: "Requests."})
	prometheus.MustRegister(n)
	http.Handle("/metrics", promhttp.Handler())
	serve := func(w http.ResponseWriter, r *http.Request) { n.Inc(); fmt.Fprint(w, "hello") }' ;;
	*) client='' body='serve := func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "hello") }' ;;
	esac
	cat <<-GO
	package main

	import (
		"fmt"
		"net/http"
		$client
	)

	func main() {
		$body
		fmt.Println(http.ListenAndServe("127.0.0.1:8080", http.HandlerFunc(serve)))
	}
	GO
}

# cpu prints the CPU seconds of a command.
cpu() { { time "$@" >/dev/null 2>"$work/err"; } 2>&1 | awk '{print $1+$2}'; }
least() { sort -n | head -1; }

mkdir "$work/base"
cd "$work/base"
go mod init base 2>/dev/null
program none >main.go
GOCACHE="$work/std" go build "${flags[@]}" -o base .

printf '%-40s %10s %10s %10s %9s\n' client 'compile s' 'relink s' 'binary MB' packages
for client in "${clients[@]}"; do
	dir=$work/$(echo "$client" | tr /@ __)
	mkdir "$dir"
	cd "$dir"
	go mod init cost 2>/dev/null
	program "$client" >main.go
	[ "$client" = none ] || go get "$client" 2>/dev/null
	[ "$client" = none ] || go mod tidy 2>/dev/null
	dependency=${client%@*}
	case $client in *client_golang*) dependency="$dependency/prometheus/promhttp" ;; esac
	compile=0
	if [ "$client" != none ]; then
		compile=$(for run in 1 2 3; do
			rm -rf "$work/cache" && cp -r "$work/std" "$work/cache"
			GOCACHE=$work/cache cpu go build "${flags[@]}" "$dependency"
		done | least)
	else
		rm -rf "$work/cache" && cp -r "$work/std" "$work/cache"
	fi
	export GOCACHE=$work/cache
	go build "${flags[@]}" -o program .
	relink=$(for run in 1 2 3; do
		echo "var edit$run = $run" >>main.go
		cpu go build "${flags[@]}" -o program .
	done | least)
	unset GOCACHE
	packages=$(go list -deps -f '{{if not .Standard}}{{.ImportPath}}{{end}}' . | grep -vcx cost || true)
	printf '%-40s %10.1f %10.2f %10.1f %9d\n' "$client" "$compile" "$relink" \
		"$(stat -c %s program | awk '{print $1/1048576}')" "$packages"
done
