"""Types that several packages share: tensors, losses and progress."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

Progress = Callable[[float, str], None]
"""Called with the share that is done, from 0 to 1, and what is being done."""


class Tensor(Protocol):
    """An array of Keras's backend, such as `tf.Tensor` or `jax.Array`."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""

    @property
    def dtype(self) -> object:
        """Type of the elements."""

    def __getitem__(self, key: Any, /) -> "Tensor": ...
    def __neg__(self) -> "Tensor": ...
    def __add__(self, other: Any, /) -> "Tensor": ...
    def __radd__(self, other: Any, /) -> "Tensor": ...
    def __sub__(self, other: Any, /) -> "Tensor": ...
    def __rsub__(self, other: Any, /) -> "Tensor": ...
    def __mul__(self, other: Any, /) -> "Tensor": ...
    def __rmul__(self, other: Any, /) -> "Tensor": ...
    def __truediv__(self, other: Any, /) -> "Tensor": ...
    def __lt__(self, other: Any, /) -> "Tensor": ...


Batch = Mapping[str, Tensor]
"""Arrays by name, the first axis the images."""

Scalars = dict[str, Tensor]
"""What a loss gives: scalars by name, among them `loss`."""

Loss = Callable[[Batch, bool], Scalars]
"""`loss(batch, training)`: the scalar named `loss` is minimised, the others are logged."""

JsonObject = dict[str, Any]
"""An object of a JSON file, or a table of a TOML file."""

JsonMapping = Mapping[str, Any]
"""The same, only to be read."""

Figures = JsonObject
"""What a cell measured, by name: numbers, texts, and lists and tables of them, as in JSON."""

Values = JsonMapping
"""Values of hyperparameters, by name."""
