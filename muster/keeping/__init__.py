"""Keeping the ledger true: rebuilding what follows from it, proof, redaction, the clock."""
