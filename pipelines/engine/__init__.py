"""Runs the graph of stages: fingerprints, Beam runners, worker processes and progress. Independent of the data."""
