"""What train, tune, prune and distil share: rows in memory, buckets, schedule, optimizer, loop, checkpoints."""
