"""How many swabs go in a tube: designs of pooled testing, what they cost and what they miss."""
