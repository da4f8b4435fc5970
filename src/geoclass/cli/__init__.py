"""The command line: one command a file, each parses and prints; library functions do the work."""
