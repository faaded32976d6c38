/* Before the field application: can it run here? A classic script, since whoever must be told that the
 * browser is too old has a browser that is too old: ES5 only, no markup from text, no style or script that the
 * content policy forbids (element.style is not one).
 *
 *   <script src="/field/check.js"></script>
 *
 * sets window.musterCanRun. Where that is false, a message fills the screen. Somebody in another application's
 * browser that could do it may go on: then it becomes true and window gets the event "muster-can-run".
 */
(function (window, document) {
  "use strict";

  var CHROME = 87;
  var FIREFOX = 102;
  var SAFARI = [15, 4];

  // Browsers within other applications. The first that fits counts: several say they are WeChat as well.
  var APPS = [
    { pattern: /wxwork\//i, zh: "企业微信", en: "WeCom" },
    { pattern: /MicroMessenger\//i, zh: "微信", en: "WeChat" },
    { pattern: /DingTalk/i, zh: "钉钉", en: "DingTalk" },
    { pattern: /AlipayClient|AliApp\(AP\//i, zh: "支付宝", en: "Alipay" },
    { pattern: /\b(Feishu|Lark)\//i, zh: "飞书", en: "Feishu" },
    { pattern: /(^|\s)QQ\/\d/, zh: "QQ", en: "QQ" }
  ];

  var WORDS = {
    zh: {
      inAppTitle: "请在浏览器中打开",
      inApp: "您正在{app}中打开本页。请点右上角 ⋯，选“在浏览器打开”。",
      address: "或复制这个网址，粘贴到 Chrome、Edge 或 Safari：",
      copy: "复制网址",
      copied: "已复制",
      notCopied: "请长按网址复制",
      goOn: "仍在此继续",
      insecureTitle: "连接不安全",
      insecure: "现场服务器要用 https 打开，手机须先安装现场证书。",
      toInstall: "打开安装页",
      toSecure: "用 https 打开",
      card: "打不开时，请扫现场张贴的卡片上的二维码。",
      oldTitle: "浏览器版本过低",
      old: "离线采样需要较新的浏览器：",
      android: "安卓手机：Chrome 或 Edge 87 以上（系统 WebView 87 以上）",
      apple: "苹果手机：iOS 15.4 以上，用 Safari 打开",
      firefox: "Firefox 102 以上",
      private_: "如果版本已够新，请退出无痕（隐私）浏览模式再试。",
      lacking: "不符合："
    },
    en: {
      inAppTitle: "Open this page in the browser",
      inApp: 'You are inside {app}. Tap ⋯ at the top right, then "Open in browser".',
      address: "Or copy this address into Chrome, Edge or Safari:",
      copy: "Copy the address",
      copied: "Copied",
      notCopied: "Press and hold the address to copy it",
      goOn: "Continue here anyway",
      insecureTitle: "The connection is not secure",
      insecure: "The site's server is opened by https, and the phone installs the site's certificate first.",
      toInstall: "Open the install page",
      toSecure: "Open by https",
      card: "If that does not open, scan the code on the card at the site.",
      oldTitle: "This browser is too old",
      old: "Work without a line needs a newer browser:",
      android: "Android: Chrome or Edge 87 or newer (WebView 87 or newer)",
      apple: "iPhone: iOS 15.4 or newer, in Safari",
      firefox: "Firefox 102 or newer",
      private_: "If it is new enough, leave private browsing and try again.",
      lacking: "Not good enough: "
    }
  };

  /** What is to be known of a browser, as plain values. */
  function read(window) {
    var navigator = window.navigator;
    var place = window.location;
    var secure = window.isSecureContext;
    if (typeof secure !== "boolean") {
      secure = place.protocol === "https:" || /^(localhost|127\.0\.0\.1|\[::1\])$/.test(place.hostname);
    }
    return {
      agent: navigator.userAgent,
      language: navigator.language || "",
      href: place.href,
      secure: secure,
      features: {
        modules: !!window.HTMLScriptElement && "noModule" in window.HTMLScriptElement.prototype,
        "service worker": "serviceWorker" in navigator,
        IndexedDB: has(window, "indexedDB"),
        WebCrypto: !!window.crypto && !!window.crypto.subtle,
        "Web Locks": "locks" in navigator,
        BroadcastChannel: has(window, "BroadcastChannel")
      }
    };
  }

  /** Looking at it may already throw, where storage is forbidden. */
  function has(window, name) {
    try {
      return !!window[name];
    } catch (error) {
      return false;
    }
  }

  /**
   * What to do with such a browser. Pure: facts as `read` gives them, in; out comes
   * { verdict: "run" | "in-app" | "insecure" | "old", canRun, canGoOn, app, lacking, install }.
   */
  function decide(facts) {
    var app = null;
    for (var i = 0; i < APPS.length && !app; i += 1) {
      if (APPS[i].pattern.test(facts.agent)) {
        app = APPS[i];
      }
    }
    var lacking = [];
    for (var name in facts.features) {
      if (Object.prototype.hasOwnProperty.call(facts.features, name) && !facts.features[name]) {
        lacking.push(name);
      }
    }
    var outdated = old(facts.agent);
    if (outdated) {
      lacking.push(outdated);
    }
    var fit = facts.secure && lacking.length === 0;
    var verdict = "run";
    if (app) {
      verdict = "in-app";
    } else if (!facts.secure) {
      verdict = "insecure"; // what else is lacking may be so because of it
    } else if (!fit) {
      verdict = "old";
    }
    return {
      verdict: verdict,
      canRun: verdict === "run",
      canGoOn: verdict === "in-app" && fit,
      app: app,
      lacking: lacking,
      install: facts.secure ? null : installPage(facts.href)
    };
  }

  /** The version that is too old, if the browser says one; features alone do not tell what syntax it reads. */
  function old(agent) {
    var ios = /(?:iPhone|CPU) OS (\d+)_(\d+)/.exec(agent); // whichever browser: the engine is the system's
    if (ios) {
      return before(ios, SAFARI) ? "iOS " + ios[1] + "." + ios[2] : "";
    }
    var chrome = /Chrom(?:e|ium)\/(\d+)/.exec(agent);
    if (chrome) {
      return +chrome[1] < CHROME ? "Chrome " + chrome[1] : "";
    }
    var firefox = /Firefox\/(\d+)/.exec(agent);
    if (firefox) {
      return +firefox[1] < FIREFOX ? "Firefox " + firefox[1] : "";
    }
    var safari = /Version\/(\d+)\.(\d+).* Safari\//.exec(agent);
    return safari && before(safari, SAFARI) ? "Safari " + safari[1] + "." + safari[2] : "";
  }

  function before(found, least) {
    return +found[1] < least[0] || (+found[1] === least[0] && +found[2] < least[1]);
  }

  /**
   * Where the certificate is given out: `muster serve --lan` has it at the next port. Without a port in the
   * address it is no such site, and https is tried.
   */
  function installPage(href) {
    var found = /^https?:\/\/(\[[^\]]*\]|[^\/:?#]*)(?::(\d+))?([^#]*)/.exec(href);
    if (!found || !found[1]) {
      return null;
    }
    if (found[2]) {
      return { kind: "install", href: "http://" + found[1] + ":" + (+found[2] + 1) + "/" };
    }
    return { kind: "https", href: "https://" + found[1] + found[3] };
  }

  /** Fill the screen with what the decision says. */
  function show(facts, decision, goOn) {
    var say = WORDS[facts.language.slice(0, 2).toLowerCase() === "zh" ? "zh" : "en"];
    var screen = element("div", {
      position: "fixed", top: "0", right: "0", bottom: "0", left: "0", zIndex: "99999",
      overflow: "auto", padding: "24px", background: "#ffffff", color: "#111111",
      font: "20px/1.5 sans-serif"
    });
    screen.id = "muster-check";
    screen.lang = say === WORDS.zh ? "zh-CN" : "en";
    screen.setAttribute("role", "alertdialog");
    screen.setAttribute("aria-labelledby", "muster-check-title");
    function line(text, style, kind) {
      return add(screen, element(kind || "p", style || { margin: "16px 0" }), text);
    }
    function heading(text) {
      line(text, { margin: "0 0 16px", fontSize: "26px", lineHeight: "1.3" }, "h1").id =
        "muster-check-title";
    }
    if (decision.verdict === "in-app") {
      heading(say.inAppTitle);
      line(say.inApp.replace("{app}", say === WORDS.zh ? decision.app.zh : decision.app.en));
      line(say.address);
      var address = line(facts.href, {
        margin: "16px 0", padding: "12px", background: "#eeeeee", wordBreak: "break-all"
      });
      var copy = button(screen, say.copy, function () {
        copied(address, facts.href, function (done) {
          write(copy, done ? say.copied : say.notCopied);
        });
      });
      if (decision.canGoOn) {
        var on = button(screen, say.goOn, goOn); // the lesser way
        on.style.background = "#ffffff";
        on.style.color = "#0b5c8a";
        on.style.border = "2px solid #0b5c8a";
      }
    } else if (decision.verdict === "insecure") {
      heading(say.insecureTitle);
      line(say.insecure);
      if (decision.install) {
        var link = line("", { margin: "16px 0" }, "p");
        var way = add(link, element("a", { color: "#0b5c8a" }), decision.install.href);
        way.href = decision.install.href;
        link.insertBefore(
          document.createTextNode((decision.install.kind === "install" ? say.toInstall : say.toSecure) + " "),
          way
        );
      }
      line(say.card);
    } else {
      heading(say.oldTitle);
      line(say.old);
      line(say.android);
      line(say.apple);
      line(say.firefox);
      line(say.private_);
      line(say.lacking + decision.lacking.join(", "), { margin: "24px 0", fontSize: "15px", color: "#555555" });
    }
    document.body.appendChild(screen);
    return screen;
  }

  function element(kind, style) {
    var made = document.createElement(kind);
    for (var name in style) {
      if (Object.prototype.hasOwnProperty.call(style, name)) {
        made.style[name] = style[name];
      }
    }
    return made;
  }

  function add(parent, child, text) {
    write(child, text);
    parent.appendChild(child);
    return child;
  }

  function write(where, text) {
    while (where.firstChild) {
      where.removeChild(where.firstChild);
    }
    where.appendChild(document.createTextNode(text));
  }

  function button(parent, text, press) {
    var made = element("button", {
      display: "block", width: "100%", minHeight: "52px", margin: "16px 0", border: "0",
      borderRadius: "8px", background: "#0b5c8a", color: "#ffffff", font: "bold 20px sans-serif"
    });
    made.type = "button";
    made.onclick = press;
    return add(parent, made, text);
  }

  /** Copy a text; where the clipboard is not given to pages, by selecting it. */
  function copied(shown, text, tell) {
    function bySelecting() {
      var done = false;
      try {
        var range = document.createRange();
        range.selectNodeContents(shown);
        var chosen = window.getSelection();
        chosen.removeAllRanges();
        chosen.addRange(range);
        done = document.execCommand("copy");
      } catch (error) {
        done = false;
      }
      tell(done);
    }
    if (window.navigator.clipboard && window.navigator.clipboard.writeText) {
      window.navigator.clipboard.writeText(text).then(function () {
        tell(true);
      }, bySelecting);
    } else {
      bySelecting();
    }
  }

  function begin() {
    var facts = read(window);
    var decision = decide(facts);
    window.musterCanRun = decision.canRun;
    if (decision.canRun) {
      return;
    }
    function put() {
      var screen = show(facts, decision, function () {
        screen.parentNode.removeChild(screen);
        window.musterCanRun = true;
        var event = document.createEvent("Event");
        event.initEvent("muster-can-run", false, false);
        window.dispatchEvent(event);
      });
    }
    if (document.body) {
      put();
    } else {
      document.addEventListener("DOMContentLoaded", put);
    }
  }

  window.musterCheck = { decide: decide, read: read };
  if (document) {
    begin();
  }
})(window, typeof document === "undefined" ? null : document);
