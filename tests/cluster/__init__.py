"""Builds on real clusters (-m cluster). They need java, mvn, at first a package registry, and 3 GB of memory."""
