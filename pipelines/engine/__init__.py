"""The graph of stages and what runs it: fingerprints, Beam runners, workers, progress. It knows no data."""
