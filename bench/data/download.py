"""Official downloads, given up early where the network is closed."""

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.data.route import Progress, RouteError
from bench.data.verify import MOST_BYTES

FIRST_BYTE_SECONDS = 5.0
STALL_SECONDS = 20.0


@dataclass(frozen=True)
class Mirror:
    """One base address that serves ``<file>.gz``."""

    base: str
    asked_for: bool = False
    remote: bool = True

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"official download from {self.base}"

    def gather(
        self, files: Sequence[str], workspace: Path, progress: Progress
    ) -> Iterator[tuple[str, Path]]:
        """Yield each file once it is downloaded; the first failure ends the route."""
        for file in files:
            target = workspace / f"{file}.gz"
            download(f"{self.base}{file}.gz", target, progress)
            yield file, target


@dataclass
class _Meter:
    """Counts bytes; has the methods that pooch expects of a progress bar."""

    total: int = 0
    done: int = 0
    moved: float = field(default_factory=time.monotonic)
    given_up: bool = False

    def update(self, size: int) -> None:
        self.done += size
        self.moved = time.monotonic()
        if self.given_up:
            raise RouteError("given up")
        if self.done > MOST_BYTES:
            raise RouteError(f"sent more than {MOST_BYTES} bytes")

    def reset(self) -> None:
        self.done = 0

    def close(self) -> None:
        """Nothing to put away."""

    @property
    def stalled(self) -> bool:
        patience = STALL_SECONDS if self.done else FIRST_BYTE_SECONDS
        return time.monotonic() - self.moved > patience

    @property
    def share(self) -> float | None:
        return min(self.done / self.total, 1.0) if self.total else None


def download(url: str, target: Path, progress: Progress) -> None:
    """Download one file, however the network behaves.

    Parameters
    ----------
    url : str
        An http or https address.
    target : Path
        Written as it comes; not verified here.
    progress : Progress
        Told the share that is done.

    Raises
    ------
    RouteError
        If the server cannot be reached, refuses, sends no byte for a while, or far too many.
    """
    import pooch

    meter = _Meter()
    responses: list[Any] = []
    failures: list[Exception] = []
    fetch = pooch.HTTPDownloader(
        progressbar=meter,
        chunk_size=1 << 16,
        timeout=(FIRST_BYTE_SECONDS, STALL_SECONDS),
        hooks={"response": lambda response, **_: responses.append(response)},
    )

    def work() -> None:
        try:
            fetch(url, str(target), None)
        except Exception as error:
            failures.append(error)
        finally:
            # pooch leaves the connection open after a refusal.
            for response in responses:
                response.close()

    # A thread: a server with eight addresses that all hang takes eight time-outs of its own.
    worker = threading.Thread(target=work, name=f"download {target.name}", daemon=True)
    worker.start()
    going = True
    while going:
        worker.join(0.1)
        going = worker.is_alive()  # asked first, so that the last share told is the final one
        progress(f"downloading {url}", meter.share)
        if going and meter.stalled:
            meter.given_up = True
            raise RouteError(f"no byte came for {time.monotonic() - meter.moved:.0f} s")
    if failures:
        raise RouteError(_cause(failures[0])) from failures[0]


def _cause(error: BaseException) -> str:
    """Describe the error at the root: the wrappers around it repeat the address."""
    while error.__context__ is not None:
        error = error.__context__
    return f"{type(error).__name__}: {error}"
