"""Even groups, people over places, days on duty, figures of a team: values in, values out."""
