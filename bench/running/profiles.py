"""Choice of profile and arithmetic for this machine."""

import os
from pathlib import Path

import psutil

from bench.config import Profile, load_profile
from bench.interfaces import JsonMapping
from bench.store.provenance import gpu_name, processor_flags, usable_cores

AUTO = "auto"
WORKER_BYTES = 3 * 2**30  # a framework, a data set and a training


def resolve_profile(name: str, overlay: JsonMapping | None = None) -> Profile:
    """Read a profile; `auto` is `full` where the backend sees a GPU, else `quick`.

    `overlay`, an assignment's budget, is laid over it. The arithmetic `auto` becomes
    `mixed_bfloat16` where the hardware computes in it.

    Parameters
    ----------
    name : str
        Name of a profile, `auto`, or the path of a TOML file.
    overlay : mapping, optional
        Settings that are laid over it.

    Returns
    -------
    Profile
        The settings.
    """
    if name == AUTO:
        name = "full" if backend_sees_gpu() else "quick"
    profile = load_profile(name if not name.endswith(".toml") else Path(name), overlay)
    if profile.precision == AUTO:
        hardware_has_it = bool(processor_flags() & {"avx512_bf16", "amx_bf16"})
        chosen = "mixed_bfloat16" if hardware_has_it or backend_sees_gpu() else "float32"
        profile = profile.model_copy(update={"precision": chosen})
    return profile


def usable_workers() -> int:
    """How many cells this machine runs well at once: 1 on a GPU, else one a core."""
    if backend_sees_gpu():
        return 1
    return max(1, min(len(usable_cores()), int(psutil.virtual_memory().available / WORKER_BYTES)))


def backend_name() -> str:
    """Return the Keras backend that will run, without loading it."""
    return os.environ.get("KERAS_BACKEND", "tensorflow")


def backend_sees_gpu() -> bool:
    """Ask the backend for a GPU; it is loaded only where the driver shows one."""
    if gpu_name() is None:
        return False
    if backend_name() == "jax":
        import jax

        return bool(jax.default_backend() == "gpu")
    import tensorflow as tf

    return bool(tf.config.list_physical_devices("GPU"))


def unused_gpu() -> str | None:
    """Say that the driver shows a GPU which the backend does not use; None where all is well."""
    gpu = gpu_name()
    if gpu is None or backend_sees_gpu():
        return None
    extra = "gpu-jax" if backend_name() == "jax" else "gpu"
    return (
        f"The driver shows {gpu}, but {backend_name()} sees no GPU: it is installed without its "
        f"CUDA libraries. The processor computes instead. `bash .ci/setup {extra}` installs them."
    )
