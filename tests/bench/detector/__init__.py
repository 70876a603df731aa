"""The public score of the crisis detector: `python -m tests.bench.detector`."""
