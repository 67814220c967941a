"""Pure functions from files to Examples to Instructions, and the Beam transforms that run them over shards."""
