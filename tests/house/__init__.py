"""The house rules, checked: layers, tidiness, the reference."""
