"""Pure rules: no await, no clock, no I/O; moments and policies come in as arguments."""
