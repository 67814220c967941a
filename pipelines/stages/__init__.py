"""The stages of a build, one module per stage, and the plan that puts them in order."""
