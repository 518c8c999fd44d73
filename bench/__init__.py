"""Latent Lab: a lab assignment on autoencoders, VAEs and GANs, from the data to the report."""

import os

# Before anything loads TensorFlow: its start-up chatter on standard error drowns the messages.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
