"""What `bench/run.py` measures, each in a process of its own that prints its figures."""
