"""One lock for each half of the gateway, so that two never write one data folder; and one for who plays Evolution.

The lock is the kernel's: it ends with its process, however that ends, and leaves nothing stale behind.
"""

import contextlib
import fcntl
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, Self

from gateway.config import Config
from gateway.errors import DataFolderBusy, GatewayError

Half = Literal["receiver", "worker", "simulator"]
_RETRY: Final = 0.05  # seconds


class Owner:
    """Holds `data/<half>.lock` while it is entered.

    Raises:
        DataFolderBusy: on entering; another process holds it, and the text names it.
    """

    def __init__(self, folder: Path, half: Half, *, patience: float = 0.0) -> None:
        """`patience`: seconds to wait for a holder that is about to leave."""
        self._path = folder / f"{half}.lock"
        self._half = half
        self._patience = patience
        self._file = -1

    def __enter__(self) -> Self:
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + self._patience
        while not self._try():
            if time.monotonic() >= deadline:
                holder = os.pread(self._file, 100, 0).decode(errors="replace").strip() or "another process"
                self._let_go()
                where = f"{self._path.parent} is in use: {holder} is its {self._half}"
                raise DataFolderBusy(f"{where}. Stop it, or name another folder as `data` in config.yaml.")
            time.sleep(_RETRY)
        os.register_at_fork(after_in_child=self._let_go)  # what a plugin forks must not hold the lock after us
        os.ftruncate(self._file, 0)
        with contextlib.suppress(
            OSError
        ):  # the name is a courtesy; a full disk must not keep the gateway from starting
            os.pwrite(self._file, f"process {os.getpid()}".encode(), 0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._let_go()

    def _let_go(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _try(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def data_folder(config: Config) -> Path:
    """The data folder, made with mode 0700 where it is missing.

    Raises:
        GatewayError: it can't be made.
    """
    try:
        config.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise GatewayError(f"the data folder {config.data} can't be made: {error.strerror}") from error
    return config.data
