"""The command `ieforge`, which runs the commands of the other packages."""
