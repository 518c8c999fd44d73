"""Latent Lab: a lab assignment on autoencoders, VAEs and GANs, from the data to the report."""

import logging
import os

# Before anything loads TensorFlow: its chatter on standard error drowns the messages.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
logging.getLogger("tensorflow").setLevel(logging.ERROR)
