"""Places: points and names to countries, offline."""
