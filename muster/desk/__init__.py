"""The desk: lists, searches, histories and work lists over every domain; reads, and the few decisions
taken there."""
