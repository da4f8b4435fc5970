"""Tags: planned, written, taken back."""
