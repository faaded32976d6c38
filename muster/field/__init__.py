"""What phones in the field keep of their place: decision 24."""
