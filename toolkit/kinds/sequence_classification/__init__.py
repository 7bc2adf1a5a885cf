"""A text in, a class or a number out, by a head on an encoder."""
