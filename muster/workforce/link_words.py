"""What the pages behind links say to who is called up, in Chinese and English. Each pair: 中文, English."""

W: dict[str, tuple[str, str]] = {
    "title": ("集结召集", "Call-up"),
    "asked": ("您愿意参加吗？", "Can you come?"),
    "greet": ("{name}，您好", "Dear {name}"),
    "what": ("岗位", "Task"),
    "where": ("地点", "Place"),
    "from_to": ("{day} {start} 至 {end}", "{day}, {start} to {end}"),
    "when": ("时间", "When"),
    "be_there": ("到岗时间", "Be there by"),
    "answer_by": ("请在 {time} 前答复", "Please answer by {time}"),
    "yes": ("我参加", "I will come"),
    "no": ("这次不能参加", "I cannot come"),
    "posted": (
        "已为您安排岗位。到现场后扫描岗位二维码签到。",
        "You have a place. Scan the code at the post when you arrive.",
    ),
    "changed_mind": ("我来不了了", "I cannot come after all"),
    "arrived": ("已签到，{time}。辛苦了！", "You are checked in, {time}. Thank you."),
    "resting": ("您正在休息。", "You are taking a break."),
    "break": ("休息一下", "Take a break"),
    "work_again": ("休息结束", "Back to work"),
    "relief": ("请求换班", "Ask to be relieved"),
    "relief_asked": (
        "已请求换班，正在找人接替。接替人员到岗前请勿离开。",
        "You have asked to be relieved: somebody is being called. Please stay until they are here.",
    ),
    "stay": ("我可以继续", "I can stay after all"),
    "left": ("本次值守已结束。谢谢！", "Your shift is over. Thank you."),
    "full": (
        "名额已满，这次不需要您前往。感谢响应！",
        "All places are taken: you are not needed this time. Thank you.",
    ),
    "declined": (
        "已记录您不能参加。如情况有变，仍可参加。",
        "Noted: you cannot come. If that changes, you may still say yes.",
    ),
    "unknown": (
        "链接不完整或已失效。请联系发送方。",
        "This link is incomplete or no longer valid. Ask whoever sent it.",
    ),
    "elsewhere": (
        "您在这段时间已有别的岗位（{when}）。",
        "You already have a place at that time ({when}).",
    ),
    "limit": (
        "该班次会超出连续工作时限，不能安排。",
        "This shift would break a limit of working hours.",
    ),
    "ask_the_lead": (
        "现在不能这样操作，请联系点位负责人。",
        "That cannot be done now. Ask whoever leads the site.",
    ),
    "too_often": ("操作过于频繁，请稍后再试。", "Too many tries. Please wait a moment."),
    "busy": ("系统繁忙，请稍后再试。", "The system is busy. Please try again in a moment."),
    "at": ("到岗签到", "Check in"),
    "phone": ("您的手机号", "Your phone number"),
    "check_in": ("签到", "Check in"),
    "no_place_here": (
        "没有找到该手机号在此处的岗位。请核对号码，或询问点位负责人。",
        "There is no place here for this number now. Check it, or ask whoever leads the site.",
    ),
    "too_early": (
        "班次 {time} 开始，请到时再签到。",
        "The shift begins at {time}: come back then.",
    ),
    "other_language": ("English", "中文"),
}


def word(key: str, language: str, /, **facts: object) -> str:
    """A word in a language."""
    return W[key][language != "zh"].format_map(facts)
