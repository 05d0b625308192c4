#!/bin/sh
# Makes the files of secrets that compose.yaml names, in the folder secrets/ beside it; what is there already stays.
#
# A container reads its files as its own user: so these may be read by everybody, and the folder by its owner alone.
set -eu
cd "$(dirname "$0")"
umask 077
mkdir -p secrets
cd secrets

for name in store-migrate-password store-write-password store-read-password grafana-store-password \
    clickhouse-admin-password grafana-admin-password; do
    [ -s "$name" ] || od -An -N24 -tx1 /dev/urandom | tr -d ' \n' > "$name"
    chmod 0444 "$name"
done

digest() {
    sha256sum < "$1" | cut -d ' ' -f 1
}

# ClickHouse knows no password, only what it is compared with.
rm -f clickhouse.env
cat > clickhouse.env <<END
CLICKHOUSE_ADMIN_SHA256=$(digest clickhouse-admin-password)
SEGWATCH_MIGRATE_SHA256=$(digest store-migrate-password)
SEGWATCH_WRITE_SHA256=$(digest store-write-password)
SEGWATCH_READ_SHA256=$(digest store-read-password)
SEGWATCH_GRAFANA_SHA256=$(digest grafana-store-password)
END
