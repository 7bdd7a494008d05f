#!/bin/bash
# Starts PostgreSQL by the contract of the official image: the first start makes the data folder
# from POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB, POSTGRES_INITDB_ARGS, POSTGRES_INITDB_WALDIR
# and POSTGRES_HOST_AUTH_METHOD, runs what lies in /docker-entrypoint-initdb.d, and then execs the
# command. Every variable may come from a file instead (POSTGRES_PASSWORD_FILE and so on).
set -Eeo pipefail

# from_file VAR [DEFAULT] sets VAR from VAR_FILE, itself or the default.
from_file() {
	local var=$1 file=$1_FILE
	if [[ ${!var:-} && ${!file:-} ]]; then
		echo >&2 "error: both $var and $file are set (but are exclusive)"
		exit 1
	fi
	local value=${!var:-${2:-}}
	[[ ${!file:-} ]] && value=$(<"${!file}")
	export "$var"="$value"
	unset "$file"
}

make_folders() {
	mkdir -p "$PGDATA" /var/run/postgresql
	chmod 700 "$PGDATA" 2>/dev/null || true
	chmod 3775 /var/run/postgresql 2>/dev/null || true
	if [[ ${POSTGRES_INITDB_WALDIR:-} ]]; then
		mkdir -p "$POSTGRES_INITDB_WALDIR"
		chmod 700 "$POSTGRES_INITDB_WALDIR"
	fi
	if [[ $(id -u) == 0 ]]; then
		find "$PGDATA" ${POSTGRES_INITDB_WALDIR:+"$POSTGRES_INITDB_WALDIR"} /var/run/postgresql \
			\! -user postgres -exec chown postgres '{}' +
	fi
}

need_password() {
	if [[ ! $POSTGRES_PASSWORD && $POSTGRES_HOST_AUTH_METHOD != trust ]]; then
		cat >&2 <<-'MESSAGE'
			Error: Database is uninitialized and superuser password is not specified.
			       You must specify POSTGRES_PASSWORD to a non-empty value for the
			       superuser. For example, "-e POSTGRES_PASSWORD=password" on "docker run".
		MESSAGE
		exit 1
	fi
}

init_database() {
	local waldir=()
	[[ ${POSTGRES_INITDB_WALDIR:-} ]] && waldir=(--waldir "$POSTGRES_INITDB_WALDIR")
	# POSTGRES_INITDB_ARGS is a line of shell words, quotes included.
	eval 'initdb --username="$POSTGRES_USER" --pwfile=<(printf "%s\n" "$POSTGRES_PASSWORD") "${waldir[@]}" '"${POSTGRES_INITDB_ARGS:-}"' "$@"'
	local method=${POSTGRES_HOST_AUTH_METHOD:-$(postgres -C password_encryption "$@" 2>/dev/null)}
	printf '\nhost all all all %s\n' "$method" >>"$PGDATA/pg_hba.conf"
}

# sql runs psql against the server that only this script can reach.
sql() {
	local db=()
	[[ $POSTGRES_DB ]] && db=(--dbname "$POSTGRES_DB")
	PGHOST='' PGHOSTADDR='' psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --no-password --no-psqlrc "${db[@]}" "$@"
}

make_database() {
	local found
	found=$(POSTGRES_DB='' sql --dbname postgres --set db="$POSTGRES_DB" --tuples-only <<<"SELECT 1 FROM pg_database WHERE datname = :'db';")
	if [[ ! $found ]]; then
		POSTGRES_DB='' sql --dbname postgres --set db="$POSTGRES_DB" <<<'CREATE DATABASE :"db";'
	fi
}

run_init_files() {
	local f
	for f in /docker-entrypoint-initdb.d/*; do
		case $f in
		*.sh)
			if [[ -x $f ]]; then
				echo "$0: running $f"
				"$f"
			else
				echo "$0: sourcing $f"
				# shellcheck disable=SC1090
				. "$f"
			fi
			;;
		*.sql) echo "$0: running $f"; sql -f "$f" ;;
		*.sql.gz) echo "$0: running $f"; gunzip -c "$f" | sql ;;
		*.sql.xz) echo "$0: running $f"; xzcat "$f" | sql ;;
		*.sql.zst) echo "$0: running $f"; zstd -dc "$f" | sql ;;
		*) [[ -e $f ]] && echo "$0: ignoring $f" ;;
		esac
	done
	return 0
}

first_start() {
	need_password
	init_database
	export PGPASSWORD=${PGPASSWORD:-$POSTGRES_PASSWORD}
	# Unix socket only: nobody takes this server for the finished one.
	pg_ctl -D "$PGDATA" -o "$(printf '%q ' "$@" -c listen_addresses= -p "${PGPORT:-5432}")" -w start
	make_database
	run_init_files
	pg_ctl -D "$PGDATA" -m fast -w stop
	unset PGPASSWORD
	printf '\nPostgreSQL init process complete; ready for start up.\n\n'
}

wants_help() {
	local a
	for a; do
		case $a in -'?' | --help | --describe-config | -V | --version) return 0 ;; esac
	done
	return 1
}

main() {
	[[ ${1:0:1} == - ]] && set -- postgres "$@"
	if [[ $1 == postgres ]] && ! wants_help "$@"; then
		from_file POSTGRES_PASSWORD
		from_file POSTGRES_USER postgres
		from_file POSTGRES_DB "$POSTGRES_USER"
		from_file POSTGRES_INITDB_ARGS
		: "${POSTGRES_HOST_AUTH_METHOD:=}"
		make_folders
		if [[ $(id -u) == 0 ]]; then
			HOME=/var/lib/postgresql exec setpriv --reuid=postgres --regid=postgres --init-groups "${BASH_SOURCE[0]}" "$@"
		fi
		if [[ ! -s $PGDATA/PG_VERSION ]]; then
			first_start "${@:2}"
		else
			printf '\nPostgreSQL Database directory appears to contain a database; Skipping initialization\n\n'
		fi
	fi
	exec "$@"
}

main "$@"
