from . import gain, oracles, trials, tuner

__all__ = ["gain", "oracles", "trials", "tuner"]
