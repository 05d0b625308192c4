"""Commands of the documents that are run in another form, or not at all, and why."""

_SESSION = "$(segwatch query 'SELECT session FROM captures LIMIT 1' | tail -n 1)"
INSTEAD = {
    "make demo": "make -C $CHECKOUT VENV=$VENV -o $VENV/.installed demo",
    "segwatch up --read segwatch/data/demo.pcap.gz --name demo": "segwatch up --read $DEMO --name demo",
    "tcpdump -i eth0 -c 100000 -w - tcp | segwatch analyze -": "tcpdump -r capture.pcap -w - tcp | segwatch analyze -",
    "segwatch sensor --interface eth0 --anonymize segwatch.key": (
        "segwatch sensor --interface eth0 --anonymize segwatch.key --allow-root"
    ),
    "segwatch explain capture.pcap --between 10.0.0.1 192.0.2.7:443": (
        "segwatch explain capture.pcap --between 10.20.2.9 10.20.0.30:5432"
    ),
    "segwatch explain capture.pcap --at 12:30:05": "segwatch explain capture.pcap --at +60",
    "segwatch replay --from 2026-01-31T09:00Z --to 2026-01-31T10:00Z --lead 10m --sensor office": (
        "segwatch replay --from -1h --to -1m --lead 10m"
    ),
    "./make-secrets.sh": "cp $CHECKOUT/deploy/compose/make-secrets.sh . && ./make-secrets.sh",
    "segwatch sensor --interface eth0": "segwatch sensor --interface eth0 --allow-root",
    'segwatch sensor --interface eth0 --interface eth1 --filter "not port 22" --user segwatch': (
        'segwatch sensor --interface eth0 --interface eth1 --filter "not port 22" --allow-root'
    ),
    "segwatch sensor --interface any --snaplen 128 --kafka kafka-1.example:9092,kafka-2.example:9092": (
        "segwatch sensor --interface any --snaplen 128 --allow-root"
    ),
    "sudo segwatch watch --interface eth0": "segwatch watch --interface eth0 --allow-root",
    "segwatch watch --interface eth0 --interface eth1 --store # history in the local store too": (
        "segwatch watch --interface eth0 --interface eth1 --store --allow-root"
    ),
    "segwatch watch --interface any --seconds 600 --json >> watched.jsonl": (
        "segwatch watch --interface any --seconds 2 --json --allow-root >> watched.jsonl"
    ),
    "segwatch report --from 2026-01-31T09:00 --to 2026-01-31T10:00 --sensor office": (
        "segwatch report --from -1h --to -1m"
    ),
    "segwatch db prune --older-than 30d": "segwatch db prune --older-than 30d --yes",
    "segwatch db prune --older-than 7d --table segments": "segwatch db prune --older-than 7d --table segments --yes",
    "segwatch db prune --session 0123456789abcdef0123456789abcdef": f"segwatch db prune --yes --session {_SESSION}",
    "segwatch explain --session ID --stream 17": f"segwatch explain --session {_SESSION} --stream 17",
    "segwatch report --session 0123456789abcdef0123456789abcdef": f"segwatch report --session {_SESSION}",
    "segwatch db grants --password-file migrate=migrate.password --password-file write=write.password "
    "--password-file read=read.password --password-file grafana=grafana.password": (
        "for role in migrate write read grafana; do openssl rand -hex 24 > $role.password; done; "
        "segwatch db grants --password-file migrate=migrate.password --password-file write=write.password "
        "--password-file read=read.password --password-file grafana=grafana.password"
    ),
    "segwatch query - < question.sql": "echo 'SELECT 1' > question.sql; segwatch query - < question.sql",
    "segwatch query": "echo 'SELECT 1' | segwatch query",
}
"""What is run in place of a command: with a capture, an address or a user that the test's host has."""

_ENGINE = "it needs a container engine"
_CLUSTER = "it needs a cluster of Kubernetes"
EXCUSED = {
    r"make test": "it is what runs this",
    r"segwatch query \"SELECT reset.* \.\.\.\"": "it is shown shortened; make demo asks it whole",
    r"(\w+=\w+ )?docker .*": _ENGINE,
    r"kubectl kustomize .*": "tests/deploy/test_kubernetes.py does it, with the secrets that the example wants",
    r"kubectl (apply|-n) .*": _CLUSTER,
    r"segwatch db migrate --store .* --cluster main": "it needs a cluster of ClickHouse",
    r"make lab.*": "tests/lab/test_live.py runs a scenario, and test_command.py the command",
    r"make accuracy.*": "it takes minutes; tests/lab/test_scoreboard.py measures a half, and makes the page",
    r"make trial .*": "it takes many minutes; tests/pipeline/ has the same in short",
    r"systemctl .*": "it needs systemd as the first process; tests/deploy/test_systemd.py lets it read the units",
    r"clickhouse-client .*": "it needs a ClickHouse server; tests/sinks/test_backup.py restores on the local one",
}
"""Why a command that matches the pattern is not run."""
