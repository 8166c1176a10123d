"""Files of a folder for a page in a browser on this machine, which may come from elsewhere."""

from __future__ import annotations

from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from teasel.errors import ParameterError

__all__ = ["serve_folder"]


class _Files(SimpleHTTPRequestHandler):
    """Gives files, and lets pages from other places read them (CORS)."""

    def end_headers(self) -> None:
        self.send_header("Access-Control-Allow-Origin", "*")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def serve_folder(folder: Path, port: int) -> ThreadingHTTPServer:
    """Return a server of a folder that only this machine reaches; it serves once ``serve_forever`` is called.

    Raises
    ------
    ParameterError
        If the port is taken.
    """
    try:
        return ThreadingHTTPServer(("127.0.0.1", port), partial(_Files, directory=str(folder)))
    except OSError as error:
        raise ParameterError(f"port {port} cannot be used ({error.strerror}); give another with --port") from error
