"""The console in the browser: the built pages of web/ and what only they ask."""
