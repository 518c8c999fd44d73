from . import (
    ceilings,
    contenders,
    flops,
    growth,
    interleave,
    networks,
    request,
)

__all__ = [
    "ceilings",
    "contenders",
    "flops",
    "growth",
    "interleave",
    "networks",
    "request",
]
