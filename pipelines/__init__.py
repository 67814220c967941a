"""The stages of a build, their order, and the command lines."""
