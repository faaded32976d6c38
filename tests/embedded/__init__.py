"""The embedded server under real faults: kills, stale files, full disks, folders out of reach."""
