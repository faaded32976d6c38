"""The people who carry it: who can be called, who is asked, who comes, who stands where, who must rest."""
