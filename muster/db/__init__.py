"""The database: an embedded PostgreSQL server for those who bring none."""
