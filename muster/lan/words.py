"""What the install page says, in Chinese and English. Each pair: 中文, English. The card to be printed
says the same.
"""

from typing import Literal

Phone = Literal["android", "iphone"]

W: dict[str, tuple[str, str]] = {
    "title": ("让手机信任现场服务器", "Let this phone trust the site's server"),
    "why": (
        "现场没有互联网。安装一次下面的证书，手机才能安全打开集结（扫码、拍照、离线都要用到）。",
        "There is no internet here. Install this certificate once, and the phone can open Muster safely;"
        " the camera and work without a line need it.",
    ),
    "in_app": (
        "您正在微信等应用里打开本页，这里装不了证书。请点右上角 ⋯，选“在浏览器打开”。",
        "You opened this page inside another app, which cannot install it. Tap ⋯ at the top right,"
        ' then "Open in browser".',
    ),
    "android": ("安卓手机", "Android"),
    "iphone": ("苹果手机", "iPhone"),
    "take_android": ("下载证书", "Download the certificate"),
    "take_iphone": ("下载描述文件", "Download the profile"),
    "take_plain": ("或只下载证书", "or the bare certificate"),
    "android1": (
        "用 Chrome 或 Edge 打开安装页，点“下载证书”。",
        'Open the install page in Chrome or Edge and tap "Download the certificate".',
    ),
    "android2": (
        "打开“设置”，搜索“CA 证书”或“安装证书”。一般在：安全 → 更多安全设置 → 加密与凭据 → 安装证书 → CA 证书。",
        'Open Settings and search for "CA certificate". Usually: Security → More security settings →'
        " Encryption & credentials → Install a certificate → CA certificate.",
    ),
    "android3": (
        "选“仍然安装”，再选“下载”里的 muster-ca.crt。没有锁屏密码的手机会先要求设置。",
        'Tap "Install anyway" and choose muster-ca.crt among the downloads. A phone without a screen'
        " lock asks for one first.",
    ),
    "iphone1": (
        "用 Safari 打开安装页，点“下载描述文件”，再点“允许”。",
        'Open the install page in Safari, tap "Download the profile", then "Allow".',
    ),
    "iphone2": (
        "打开“设置” → 通用 → VPN 与设备管理 → {name} → 安装。",
        "Open Settings → General → VPN & Device Management → {name} → Install.",
    ),
    "iphone3": (
        "打开“设置” → 通用 → 关于本机 → 证书信任设置，打开 {name} 的开关。",
        "Open Settings → General → About → Certificate Trust Settings, and switch {name} on.",
    ),
    "compare": ("核对证书指纹", "Compare the fingerprint"),
    "compare_more": (
        "手机显示的 SHA-256 指纹须与服务器屏幕或张贴的卡片上的一致。苹果手机：安装前点“更多详细信息”。"
        "安卓手机：安装后看“信任的凭据 → 用户”。不一致就不要用，删除证书并告诉管理员。",
        "The SHA-256 fingerprint that the phone shows must be the one on the server's screen or the card"
        " on the wall. iPhone: before installing, under More Details. Android: afterwards, in Trusted"
        " credentials → User. If it is another, remove the certificate and tell the administrator.",
    ),
    "go": ("打开集结", "Open Muster"),
    "go_more": (
        "装好后点这里。若仍提示不安全，请回到上面的步骤。",
        "When it is installed. If the browser still warns, go through the steps again.",
    ),
    "card": ("手机接入现场网络", "Phones on this site"),
    "card_wifi": (
        "连上现场 Wi-Fi，用手机相机或浏览器扫码，按页面步骤安装证书",
        "Join the site's Wi-Fi, scan with the camera, do what the page says",
    ),
    "card_address": ("安装页", "Install page"),
    "card_then": ("装好后打开", "Then open"),
    "card_in_app": (
        "用微信扫码的：点右上角 ⋯，选“在浏览器打开”",
        'Scanned inside another app: tap ⋯ at the top right, then "Open in browser"',
    ),
    "card_print": ("证书指纹（SHA-256）", "Fingerprint of the certificate (SHA-256)"),
    "card_compare": (
        "手机显示的若不一致，请删除证书并告诉管理员",
        "If the phone shows another, remove the certificate and tell the administrator",
    ),
    "card_foot": (
        "{name} · 有效期至 {until} · 不再使用时请从手机中删除该证书",
        "{name} · until {until} · remove the certificate from the phones when the site is over",
    ),
}  # fmt: skip


def word(key: str, language: str, **facts: object) -> str:
    """A word in a language."""
    return W[key][language != "zh"].format_map(facts)


def steps(phone: Phone, language: str, name: str) -> list[str]:
    """What to tap on a phone; `name` is what the certificate is called."""
    return [word(f"{phone}{number}", language, name=name) for number in (1, 2, 3)]
