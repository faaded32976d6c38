// The script before the field application (web/public-field/check.js): who may run it, who is told what.
import { parse } from "acorn"
import { readFileSync } from "node:fs"
import { expect, test } from "vitest"

interface Facts {
  agent: string
  language: string
  href: string
  secure: boolean
  features: Record<string, boolean>
}
interface Decision {
  verdict: "run" | "in-app" | "insecure" | "old"
  canRun: boolean
  canGoOn: boolean
  app: { zh: string; en: string } | null
  lacking: string[]
  install: { kind: string; href: string } | null
}
interface Check {
  decide: (facts: Facts) => Decision
  read: (window: unknown) => Facts
}

const source = readFileSync(new URL("../../public-field/check.js", import.meta.url), "utf8")
const globals: { musterCheck?: Check } = {}
new Function("window", "document", source)(globals, undefined)
const { decide, read } = globals.musterCheck as Check

const FEATURES = [
  "modules",
  "service worker",
  "IndexedDB",
  "WebCrypto",
  "Web Locks",
  "BroadcastChannel",
]
const android = (chrome: number, more = "") =>
  `Mozilla/5.0 (Linux; Android 11; M2007) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/${chrome}.0.1 Mobile Safari/537.36${more}`
const iphone = (os: string, more = "Version/15.4 Mobile/15E148 Safari/604.1") =>
  `Mozilla/5.0 (iPhone; CPU iPhone OS ${os} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) ${more}`

function facts(agent: string, more: Partial<Facts> = {}): Facts {
  const features = Object.fromEntries(FEATURES.map((one) => [one, true]))
  const href = "https://10.0.0.2:8321/field/"
  return { agent, language: "zh-CN", href, secure: true, features, ...more }
}

test.each([
  ["an Android phone", android(87), "run"],
  ["Edge", android(120, " EdgA/120.0"), "run"],
  ["the browser QQ, which is no application's", android(98, " MQQBrowser/14.1"), "run"],
  ["one version too old", android(86), "old"],
  ["an old browser of a maker", android(70, " HeyTapBrowser/40.7"), "old"],
  ["an iPhone", iphone("15_4"), "run"],
  ["a new iPhone that names an older system", iphone("18_6", "Version/26.0 Safari/604.1"), "run"],
  ["an iPhone before 15.4", iphone("15_3", "Version/15.3 Safari/604.1"), "old"],
  ["Chrome on an old iPhone is Safari", iphone("14_8", "CriOS/120.0 Safari/604.1"), "old"],
  ["an iPad that says it is a Mac", "(Macintosh) AppleWebKit Version/15.3 Safari/605.1", "old"],
  ["a Mac", "(Macintosh) AppleWebKit Version/15.10 Safari/605.1", "run"],
  ["Firefox", "Mozilla/5.0 (Android 12; Mobile; rv:102.0) Gecko/102.0 Firefox/102.0", "run"],
  ["an old Firefox", "Mozilla/5.0 (Android 9; Mobile; rv:91.0) Gecko/91.0 Firefox/91.0", "old"],
  ["what nobody knows but can do it all", "Something/1.0", "run"],
])("%s", (_who, agent, verdict) => {
  const decision = decide(facts(agent))
  expect([decision.verdict, decision.canRun, decision.canGoOn]).toEqual([
    verdict,
    verdict === "run",
    false,
  ])
})

test.each([
  ["WeChat", android(111, " MMWEBID/1 MicroMessenger/8.0.40.2420 Weixin NetType/WIFI")],
  ["WeChat", iphone("16_0", "Mobile/15E148 MicroMessenger/8.0.33")],
  ["WeCom", android(111, " MicroMessenger/7.0.1 wxwork/4.1.0")],
  ["QQ", android(98, " V1_AND_SQ_8.9 QQ/8.9.1.9055 NetType/WIFI")],
  ["DingTalk", android(100, " AliApp(DingTalk/7.0.40) com.alibaba.android.rimet")],
  ["Alipay", android(100, " AliApp(AP/10.3.60) AlipayClient/10.3.60")],
  ["Feishu", android(100, " Lark/6.8.5 LarkLocale/zh_CN")],
])("inside %s one is sent to the browser, and may go on where all is there", (name, agent) => {
  const able = decide(facts(agent))
  expect([able.verdict, able.app?.en, able.canRun, able.canGoOn]).toEqual([
    "in-app",
    name,
    false,
    true,
  ])
  const features = { ...facts(agent).features, "service worker": false }
  expect(decide(facts(agent, { features })).canGoOn).toBe(false)
  expect(decide(facts(agent, { secure: false })).canGoOn).toBe(false)
})

test("an old engine inside WeChat may not go on", () => {
  expect(decide(facts(android(86, " MicroMessenger/8.0.40"))).canGoOn).toBe(false)
})

test.each(FEATURES)("without %s it does not run, and says so", (name) => {
  const features = { ...facts("").features, [name]: false }
  const decision = decide(facts(android(120), { features }))
  expect([decision.verdict, decision.canRun, decision.lacking]).toEqual(["old", false, [name]])
})

test.each([
  ["http://10.0.0.2:8321/field/?a=1#x", "install", "http://10.0.0.2:8322/"],
  ["http://[fd00::2]:8321/field/", "install", "http://[fd00::2]:8322/"],
  ["http://muster.example/field/?a=1#x", "https", "https://muster.example/field/?a=1"],
])("what is not secure points on: %s", (href, kind, way) => {
  const features = { ...facts("").features, "service worker": false, WebCrypto: false }
  const decision = decide(facts(android(120), { secure: false, href, features }))
  expect([decision.verdict, decision.install]).toEqual(["insecure", { kind, href: way }])
})

test("a browser that knows no secure contexts is judged by its address, and nothing throws", () => {
  const place = { protocol: "http:", hostname: "10.0.0.2", href: "http://10.0.0.2/" }
  const window = {
    navigator: { userAgent: "x", language: "en" },
    location: place,
    get indexedDB() {
      throw new Error("forbidden")
    },
  }
  expect(read(window)).toMatchObject({ secure: false, features: { IndexedDB: false } })
  const local = { ...place, hostname: "localhost" }
  expect(read({ navigator: { userAgent: "x" }, location: local })).toMatchObject({ secure: true })
})

test("it is ES5, and makes no markup from text", () => {
  expect(() => parse(source, { ecmaVersion: 5, sourceType: "script" })).not.toThrow()
  expect(source).not.toMatch(
    /innerHTML|outerHTML|insertAdjacent|document\.write|setAttribute\("style/,
  )
})
