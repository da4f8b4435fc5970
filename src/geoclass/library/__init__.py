"""What is done with a whole collection."""
