"""Many people at once before one server: what `bench/load.py` is made of."""
