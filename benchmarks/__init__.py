"""What is timed and scored, each beside a peer; see README.md. Run as ``python -m benchmarks.accuracy``."""
