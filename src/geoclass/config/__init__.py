"""Settings, their defaults, and their way to and from files."""
