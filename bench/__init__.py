"""Latent Lab: a lab assignment on autoencoders, VAEs and GANs, from the data to the report."""
