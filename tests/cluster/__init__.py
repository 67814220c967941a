"""Builds on real clusters: run with -m cluster. They need java, mvn, a package registry at first, and 3 GB of memory."""
