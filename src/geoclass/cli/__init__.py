"""The command line: one command per file; each parses and prints, library functions do the work."""
