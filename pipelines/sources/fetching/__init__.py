"""Downloads of original files: their transfer (`transfer`), archives (`unpack`), and the sources' files (`fetch`)."""
