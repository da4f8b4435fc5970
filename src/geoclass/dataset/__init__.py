"""Data sets: labelled, split, cut into segments, features on disk."""
