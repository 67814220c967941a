"""Builds on real clusters (-m cluster). They need a JDK, mvn, at first a package registry, and 3 GB of memory."""
