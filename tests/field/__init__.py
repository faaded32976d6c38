"""The field client in a real Chromium, at a real server: phones that lose their network and do not lose work."""
