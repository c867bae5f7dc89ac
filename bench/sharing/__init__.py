"""Several servers of one library: what `bench/servers.py` is made of."""
