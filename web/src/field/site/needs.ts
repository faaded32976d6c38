// What a site needs: the checklist before it opens and the supplies it may run short of, as the vocabulary has
// them (muster/sampling/events.py).
export const READINESS = [
  ...["queue_lines", "posters", "tents", "tables", "power", "network", "phones", "tubes"],
  ...[
    "swabs",
    "boxes_ice",
    "protection",
    "disinfectant",
    "waste_bins",
    "zones",
    "staff",
    "briefed",
  ],
]
export const SUPPLIES = [
  ...["tubes", "swabs", "bags", "boxes", "labels", "ice", "masks", "gloves", "gowns"],
  ...["face_shields", "disinfectant", "waste_bags", "other"],
]
