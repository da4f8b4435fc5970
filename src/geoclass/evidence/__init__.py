"""What a file says of itself, one witness per module."""
