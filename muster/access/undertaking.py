"""The confidentiality undertaking: signed before first access, again when its edition changes."""

EDITION = "2026-1"
SIGNERS = ("staff", "aid", "guest")  # a gateway is no person; a resident sees only themselves

TEXT = {
    "en": (
        "I use what I see here for this campaign's work only, and only as far as my task needs it.",
        "I pass on no name, number, address, result or whereabouts of anyone: not in conversation,"
        " not in chat groups, not as a picture of a screen or list.",
        "I use my own account, tell nobody my password and leave no device unlocked.",
        "I know that what I look at is recorded and that whoever is looked at may ask about it.",
        "I hand in or delete every list when my task ends, and report a loss at once.",
        "Breaking this may be an offence under the Personal Information Protection Law and the Law"
        " on Prevention and Treatment of Infectious Diseases. My silence lasts beyond my task.",
    ),
    "zh": (
        "我在此看到的信息仅用于本次检测工作，且仅限于本人任务所需。",
        "不以任何方式泄露任何人的姓名、号码、住址、结果或行踪：不谈论，不发群，不拍屏幕或名单。",
        "只用本人账号，不告诉他人密码，不让设备处于未锁定状态。",
        "我知道我的查阅会被记录，被查阅者可以查询。",
        "任务结束时交回或删除全部名单；发生遗失立即报告。",
        "违反本承诺可能触犯《个人信息保护法》和《传染病防治法》。保密义务在任务结束后继续有效。",
    ),
}
