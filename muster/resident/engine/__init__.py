"""Pure: what a resident's form says, and how much of a result somebody may see."""
