"""What is read and written, one file for each format."""
