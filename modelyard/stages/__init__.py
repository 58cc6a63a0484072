"""A folder a verb of the chain."""
