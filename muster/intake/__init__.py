"""What comes in from outside: tables that offices send, and what is handed back to them."""
