"""The process of one of two servers that are the shards of a cluster: ``FOLDER TCP_PORT HTTP_PORT``.

It is the local server, on ports that the other one knows beforehand.
"""

import sys

from sinks import local_server_process

if __name__ == "__main__":
    folder, *ports = sys.argv[1:]
    numbers = tuple(map(int, ports))
    local_server_process.free_ports = lambda _: numbers  # type: ignore[attr-defined]  # the name as it was imported
    sys.argv[1:] = [folder]
    sys.exit(local_server_process.main())
