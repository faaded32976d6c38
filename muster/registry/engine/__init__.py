"""Pure rules about persons and their documents."""
