"""Study files: what they may say, read and checked with its lines, and what they describe."""
