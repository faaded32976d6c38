"""Peace and emergency: prepared templates, and the command posts raised from them."""
