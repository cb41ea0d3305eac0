"""Files that the package reads and writes, one module for each format."""
