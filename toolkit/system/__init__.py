"""The process, the machine and the terminal."""
