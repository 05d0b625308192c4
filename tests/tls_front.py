"""TLS in front of a server that has none: what comes encrypted goes on in plain text, and back."""

import asyncio
import ssl
import threading
from collections.abc import Callable
from pathlib import Path

from segwatch.processes.ports import HOST

_BYTES = 1 << 16


class TlsFront:
    """Listens while its context lasts; ``target`` says to which port of this machine each connection goes on."""

    def __init__(self, port: int, certificate: Path, key: Path, target: Callable[[], int | None]) -> None:
        self._port = port
        self._target = target
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="tls-front", daemon=True)
        self._listens = threading.Event()

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()
        assert self._listens.wait(30)

    def stop(self) -> None:
        """End all connections."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self) -> None:
        server = self._loop.run_until_complete(
            asyncio.start_server(self._serve, HOST, self._port, ssl=self._context, reuse_address=True)
        )
        self._listens.set()
        self._loop.run_forever()
        server.close()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        if tasks:
            self._loop.run_until_complete(asyncio.wait(tasks))
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers = [writer]
        try:
            behind, towards = await asyncio.open_connection(HOST, self._target() or 0)
            writers.append(towards)
            pumps = [asyncio.ensure_future(_pump(*ends)) for ends in ((reader, towards), (behind, writer))]
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
        except (OSError, asyncio.CancelledError):
            pass  # nobody is behind now, or this is the end: the client sees the end of its connection
        finally:
            for one in writers:
                one.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(_BYTES):
        writer.write(data)
        await writer.drain()
