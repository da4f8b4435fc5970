"""Corpora: one module each, all of them an iterator of tracks."""
