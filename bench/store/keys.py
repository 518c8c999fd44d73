"""Content keys: what a cell depends on, as one hash."""

import hashlib
import json


def canonical_json(value: object) -> str:
    """JSON with sorted keys and no spare blanks; refuses NaN and infinities.

    Raises
    ------
    ValueError
        If a number is not finite: JSON has no such number, and no figure may rest on one.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def content_key(value: object) -> str:
    """SHA-256 of the canonical JSON of `value`, as 64 hexadecimal digits."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def derive_seed(root_seed: int, *path: str | int) -> int:
    """One seed for each place in a run, from the one root seed.

    Parameters
    ----------
    root_seed : int
        The profile's seed.
    *path : str or int
        What the seed is for: experiment, variant, index.

    Returns
    -------
    int
        Between 1 and 2**31 - 1 (KerasTuner takes 0 for "random").
    """
    digest = hashlib.sha256(canonical_json([root_seed, *path]).encode()).digest()
    return 1 + int.from_bytes(digest[:8], "big") % (2**31 - 1)
