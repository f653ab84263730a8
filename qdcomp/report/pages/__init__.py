"""What every page is built from: its shell, numbers and tables in words, JSON."""
