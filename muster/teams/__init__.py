"""Teams and mutual aid: who works with whom, who came from elsewhere, where they live, what they carry along."""
