"""Releases: the publishable part of a build, and its upload to the Hub or a folder."""
