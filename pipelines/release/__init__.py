"""What may be published of a build, and how it gets there."""
