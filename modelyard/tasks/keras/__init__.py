"""Keras with PyTorch beneath: what the halves of all tasks share whose models are written in Keras."""
