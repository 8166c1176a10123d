"""Other programs, run in environments of their own."""
