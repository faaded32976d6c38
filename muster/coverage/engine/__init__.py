"""Coverage's pure parts: whether figures can be true, and when a round will be done."""
