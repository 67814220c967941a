"""The plain values that every other package speaks in; imports nothing else of IEForge."""
