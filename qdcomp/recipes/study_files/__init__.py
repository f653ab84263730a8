"""Study files: what they may say, read and checked with the lines of what is wrong."""
