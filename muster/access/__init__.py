"""Accounts, roles, scopes, devices, sessions; what each may see and do, and who looked at what."""
