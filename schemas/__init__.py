"""The data types that every other package uses; imports nothing else of IEForge."""
