"""The judge: one small, pinned classifier of Fashion-MNIST in whose features images are compared.

It is shipped with the project (`fashion_mnist.keras`), so that distances of different runs, commits
and machines are on one scale. `recipe.py` made it; the file is refused if its hash is another.
"""

from bench.judge.loading import ACCURACY, FILE, SHA256, Judge, load

__all__ = ["ACCURACY", "FILE", "SHA256", "Judge", "load"]
