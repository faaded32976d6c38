"""Papers: what is printed. Templates a district can change, set by typst into PDF, with codes that
scanners read; nothing here knows a database or a request.
"""
