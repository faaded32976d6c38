"""Who has to deal with each kind of alarm, and which list shows its records."""

# alarm: (the role whose work it is, the list of its records)
OWNERS: dict[str, tuple[str, str]] = {
    "positive_without_tube": ("command_post", "/v1/results/waiting"),
    "positive_without_members": ("command_post", "/v1/conflicts"),
    "result_conflict": ("lab_releaser", "/v1/conflicts"),
    "result_unproven": ("lab_releaser", "/v1/conflicts"),
    "result_without_tube": ("command_post", "/v1/results/waiting"),
    "more_results_than_wells": ("inspector", "/v1/stages"),
    "result_before_plate": ("inspector", "/v1/stages"),
    "throughput_over_capacity": ("inspector", "/v1/stages"),
    "repooling_refused": ("inspector", "/v1/stages"),
    "task_overdue": ("command_post", "/v1/tasks"),
    "recall_overdue": ("area_lead", "/v1/recalls?recall_state=open"),
    "objection_overdue": ("area_lead", "/v1/objections"),
    "stalled": ("administrator", "/v1/stalled"),
    "device_gap": ("area_lead", "/v1/devices/gaps"),
    "inbox": ("command_post", "/v1/inbox"),
    "tube_too_old": ("courier", "/v1/tubes/ages"),
    "tube_near_limit": ("courier", "/v1/tubes/ages"),
    "hand_over_open": ("courier", "/v1/hand-overs?open=true"),
    "hand_over_differs": ("lab_receiver", "/v1/hand-overs?open=false"),
    "box_too_warm": ("courier", "/v1/boxes"),
    "box_too_cold": ("courier", "/v1/boxes"),
    "discrepancy_open": ("lab_receiver", "/v1/discrepancies"),
    "run_file_waiting": ("lab_operator", "/v1/labs"),
    "supply_low": ("area_lead", "/v1/sites"),
    "more_sampled_than_declared": ("command_post", "/v1/overview"),
    "sums_differ": ("administrator", "/v1/overview"),
    "finish_after_end": ("command_post", "/v1/overview"),
    "figures_implausible": ("command_post", "/v1/briefings"),
}
ANOMALY: tuple[str, str] = ("area_lead", "/v1/anomalies")  # flags of tubes, people and labels


def owner(alarm: str) -> tuple[str, str]:
    """The role that an alarm is for, and the list behind it."""
    return OWNERS.get(alarm, ANOMALY)
