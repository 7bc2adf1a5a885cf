"""From files and the Hub to rows: readers, column mapping, splits."""
