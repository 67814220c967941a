"""The `ieforge` command, which runs the commands of the other packages."""
