"""Pure: who may stand where, who is asked first, how long somebody has stood."""
