"""Description of the work of a timed process."""

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Request:
    """One contender, or one ceiling of the machine.

    Attributes
    ----------
    name : str
        In `contenders.CONTENDERS` or `ceilings.CEILINGS`.
    precision : {'float32', 'mixed_bfloat16'}
        Arithmetic.
    network : str
        In `networks.NETWORKS`; empty for a ceiling.
    images : int
        Training images that a call goes through once, real ones.
    batch_size : int
        Images a step; divides `images`.
    scale : float
        Multiplies the network's channels.
    threads : int
        Processor cores that it may use; 0: all.
    data : str
        Path of an .npz file with the training `images` (n, size, size) and `labels`; empty: those
        of Fashion-MNIST.
    classes : int
        Number of classes of these.
    """

    name: str
    precision: str
    network: str = ""
    images: int = 0
    batch_size: int = 125
    scale: float = 1.0
    threads: int = 0
    data: str = ""
    classes: int = 10

    def to_json(self) -> str:
        """Write in one line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Request":
        """Read what `to_json` wrote."""
        return cls(**json.loads(text))
