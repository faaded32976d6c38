"""Run files of qPCR instruments, whatever their make, as one plain value."""
