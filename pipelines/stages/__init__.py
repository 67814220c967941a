"""The stages of a build, a module each, and the plan that puts them in order."""
