"""How long a queue takes: as somebody measured it, else estimated from the pace of the site."""


def wait(
    waiting: int | None, measured: int | None, *, swabs_15: int, swabs_60: int
) -> tuple[int | None, bool]:
    """(minutes, estimated) for people who were counted waiting; None where nothing says."""
    if waiting is None or measured is not None:
        return measured, False
    if waiting == 0:
        return 0, True
    per_minute = swabs_15 / 15 or swabs_60 / 60
    return (round(waiting / per_minute), True) if per_minute else (None, False)
