"""Tags of each container format, read and written as patches of bytes."""
