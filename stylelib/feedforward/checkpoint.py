"""What it takes to go on with a training that was stopped, in a file."""

import hashlib
import io
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..errors import StylelibError
from ..pictures.files import cannot_read, check_place, write_atomically
from .network import FeedForward

_EVERY = 60.0  # seconds between two times that it is written
_DIGEST = hashlib.sha256().digest_size


class Checkpoint:
    """The newest state of a training, which is written to a file now and then.

    Parameters
    ----------
    path : Path
    training : str
        The `fingerprint` of the training that it belongs to.
    """

    def __init__(self, path: Path, training: str) -> None:
        self.path = check_place(path, [path.suffix.lower()])
        self._training = training
        self._written = time.monotonic()
        self._newest: Any = None

    def load(self, network: FeedForward, optimizer: torch.optim.Optimizer) -> tuple[int, float]:
        """Take over what the file holds, and return the number of steps and seconds so far.

        Without a file, both are 0.

        Raises
        ------
        StylelibError
            If it can't be read, is damaged, or belongs to another training.
        """
        if not self.path.exists():
            return 0, 0.0
        try:
            data = self.path.read_bytes()
        except OSError as error:
            raise cannot_read(str(self.path), error) from error
        if hashlib.sha256(data[_DIGEST:]).digest() != data[:_DIGEST]:
            raise StylelibError(
                f"{self.path} is damaged, so the training can't go on from it. Delete it to begin "
                f"anew."
            )
        kept = torch.load(io.BytesIO(data[_DIGEST:]), map_location="cpu", weights_only=True)
        if kept["training"] != self._training:
            raise StylelibError(
                f"{self.path} belongs to a training with other pictures or settings. Give the same "
                f"ones to go on with it, or delete it to begin anew."
            )
        network.load_state_dict(kept["network"])
        optimizer.load_state_dict(kept["optimizer"])
        return kept["iteration"], kept["seconds"]

    def keep(
        self,
        network: FeedForward,
        optimizer: torch.optim.Optimizer,
        iteration: int,
        seconds: float,
    ) -> None:
        """Remember the state after a step, and write it if the file is old."""
        self._newest = network, optimizer, iteration, seconds
        if time.monotonic() - self._written > _EVERY:
            self.write()

    def write(self) -> None:
        """Write the newest state."""
        network, optimizer, iteration, seconds = self._newest
        kept = {"training": self._training, "network": network.state_dict()}
        kept |= {"optimizer": optimizer.state_dict(), "iteration": iteration, "seconds": seconds}
        buffer = io.BytesIO()
        torch.save(kept, buffer)
        data = buffer.getvalue()
        write_atomically(self.path, hashlib.sha256(data).digest() + data)
        self._written = time.monotonic()

    def end(self, done: bool) -> None:
        """Write the newest state or, if all is `done`, remove the file."""
        if done:
            self.path.unlink(missing_ok=True)
        elif self._newest is not None:
            self.write()


def fingerprint(settings: Any, pictures: Iterable[Tensor]) -> str:
    """A checksum of all that a training depends on, but for how long it takes."""
    digest = hashlib.sha256(repr(settings).encode())
    for picture in pictures:
        digest.update(picture.detach().cpu().float().contiguous().numpy().tobytes())
    return digest.hexdigest()
