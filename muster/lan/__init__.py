"""HTTPS on a site's own network, without the internet: an authority of its own, its certificate for this
machine, and the page by which phones come to trust it."""
