#!/bin/sh
# Starts Redis by the contract of the official image: options and configuration files are handed
# to redis-server, which runs as the user redis in /data.
set -e
if [ "${1#-}" != "$1" ] || [ "${1%.conf}" != "$1" ]; then
	set -- redis-server "$@"
fi
if [ "$1" = redis-server ] && [ "$(id -u)" = 0 ]; then
	find . \! -user redis -exec chown redis '{}' +
	exec setpriv --reuid=redis --regid=redis --init-groups "$0" "$@"
fi
um=$(umask)
[ "$um" != 0022 ] || umask 0077
# The port is published only where whoever started the container asked for it, so the server
# doesn't refuse clients from outside, as the official image doesn't.
if [ "$1" = redis-server ]; then
	case " $* " in
	*" --protected-mode "*) ;;
	*) set -- "$@" --protected-mode no ;;
	esac
fi
exec "$@"
