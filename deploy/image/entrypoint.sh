#!/bin/sh
# Starts segwatch in a container.
#
# Numba takes machine code only from a folder that it could write to, and the root file system is read-only. So the cache
# folder, a tmpfs or a volume, gets links to what was compiled when the image was built: no command compiles.
set -eu

if ! cp --recursive --symbolic-link --force /opt/segwatch/compiled/. "$SEGWATCH_CACHE_DIR"; then
    echo "segwatch: $SEGWATCH_CACHE_DIR cannot be written; mount a tmpfs or a volume there that user $(id -u) owns." >&2
    exit 7
fi
exec /opt/segwatch/bin/segwatch "$@"
