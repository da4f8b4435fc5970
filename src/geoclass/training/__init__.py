"""Training: the loop, the device it runs on, what is kept of a run."""
