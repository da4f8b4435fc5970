"""What a file says of its artist's country: one witness per module, a registry, and the pool that joins them."""
