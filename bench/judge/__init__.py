"""The judge: one small, pinned classifier of Fashion-MNIST in whose features images are compared.

It is shipped with the project (`fashion_mnist.keras`), so that distances of different runs, commits
and machines are on one scale. `recipe.py` made it; `loading.py` refuses a file with another hash.
"""
