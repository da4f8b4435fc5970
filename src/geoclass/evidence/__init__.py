"""Evidence on an artist's country: one witness per module, a registry, and the pool that combines them."""
