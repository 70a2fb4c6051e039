"""The consumer: folds events into member facts and enrollments, and advances at once."""
