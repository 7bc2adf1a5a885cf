"""What causal language models and encoder–decoders share: a prompt in, written text out."""
