// The open list, and releasing: what one signature releases at once, what takes two one by one.
import { ask, countUnsent, el, here, run, show, t, verdict } from "./station_frame.js";

const REFRESH_MS = 10000;
const REST_MS = 700; // after a signature: a key struck twice must not sign for the next tube unseen
const WAITS = ["load", "run", "repeat", "propose", "confirm", "release", "unfit", "identify"];
const NAMES = { load: "to_load", release: "to_release" };
const REASONS = ["repeat", "wrong_sample", "doubtful_curve", "other"];
const path = (rest) => `/v1/labs/${encodeURIComponent(here.lab.lab)}/${rest}`;
const named = (next) => t(NAMES[next] || next);
const clock = (text) => new Date(text).toLocaleTimeString(here.language, { hour: "2-digit", minute: "2-digit", hour12: false });

let counts, rows, only, at, timer;

async function refresh() {
  const wanted = only ? `&next=${only}` : "";
  const asked = only;
  const [figures, page] = [await ask(path("open-counts")), await ask(path(`samples?limit=100${wanted}`))];
  if (here.mode !== openList || asked !== only) return;
  counts = {};
  for (const one of figures) counts[one.next] = (counts[one.next] || 0) + one.tubes;
  rows = page;
  at = new Date().toLocaleTimeString(here.language, { hour12: false });
  show();
}

async function pick(next) {
  only = next;
  await refresh();
}

export const openList = {
  slim: () => true,
  title: () => t("samples"),
  prompt: () => t("press"),
  keys() {
    const sum = Object.values(counts || {}).reduce((a, b) => a + b, 0);
    const one = (next, i) => ({ key: String(i + 1), label: `${named(next)} ${(counts || {})[next] || 0}`, on: only === next, act: () => pick(next) });
    return [{ key: "0", label: `${t("all")} ${sum}`, on: !only, act: () => pick(null) }, ...WAITS.map(one)];
  },
  async open() {
    [counts, rows, only] = [null, null, null];
    countUnsent(() => 0);
    clearInterval(timer);
    timer = setInterval(() => refresh().catch(() => null), REFRESH_MS); // the line at the top tells
    await refresh();
  },
  leave: () => clearInterval(timer),
  scan() {
    verdict("bad", t("wrong_key"), t("press"));
  },
  draw() {
    if (!rows) return [];
    if (!rows.items.length) return [el("p", { class: "plain" }, t("nothing_open"))];
    const heads = ["barcode", "waits_for", "stands", "received_at"].map((one) => el("th", { scope: "col" }, t(one)));
    const lines = rows.items.map((one) => el("tr", {}, ...[
      el("code", {}, one.barcode), named(one.next), one.plate_code ? `${one.plate_code} · ${one.well}` : "–", clock(one.received_at),
    ].map((inside) => el("td", {}, inside))));
    return [
      el("p", { class: "quiet" }, [t("as_of", { at }), rows.next ? t("first_hundred") : ""].filter(Boolean).join(" · ")),
      el("table", { class: "list" }, el("thead", {}, el("tr", {}, ...heads)), el("tbody", {}, ...lines)),
    ];
  },
};

let ready, items, mine, index, asking, resting;

async function look() {
  const [figures, found] = [await ask(path("open-counts")), await ask(path("to-sign"))];
  ready = figures.filter((one) => one.next === "release");
  items = found.filter((one) => one.proposed_by !== here.who.login);
  mine = found.length - items.length;
  index = Math.min(index, Math.max(items.length - 1, 0));
  show();
}

const readyCount = () => (ready || []).reduce((sum, one) => sum + one.tubes, 0);

function askAll() {
  asking = "all";
  verdict("note", t("release_ask", { n: readyCount() }), t("release_how"));
  show();
}

async function releaseAll() {
  const done = await ask(path("release"), {});
  verdict("good", t("released_n", { n: done.released }));
  await look();
}

function rest() {
  clearTimeout(resting);
  resting = setTimeout(() => { resting = null; show(); }, REST_MS);
  show();
}

async function yes() {
  const one = items[index];
  rest();
  if (one.result) {
    await ask(path(`proposals/${one.result}/agree`), undefined, "POST");
    verdict("good", t("confirmed", { code: one.barcode }));
  } else {
    const done = await ask(path("release"), { barcodes: [one.barcode] });
    verdict("good", t(done.proposed ? "proposed" : "confirmed", { code: one.barcode }));
  }
  await look();
}

async function no(reason) {
  const one = items[index];
  asking = null;
  rest();
  await ask(path(`proposals/${one.result}/decline`), { reason });
  verdict("note", t("declined", { code: one.barcode }));
  await look();
}

function cancel() {
  asking = null;
  verdict("", "");
  show();
}

/** What is refused or lost is looked at anew: somebody else may have signed in between. */
const signed = (act) => async () => {
  try {
    await act();
  } catch (error) {
    run(look);
    throw error;
  }
};

export const signing = {
  slim: () => true,
  title: () => t("release"),
  prompt: () => (asking === "why" ? t("why_not") : t("press")),
  keys() {
    if (asking === "why") {
      return [
        ...REASONS.map((one, i) => ({ key: String(i + 1), label: t(`r_${one}`), act: signed(() => no(one)) })),
        { key: "Escape", label: t("cancel"), act: cancel },
      ];
    }
    if (asking === "all") {
      return [{ key: "Enter", label: t("release_yes"), act: () => signing.enter() }, { key: "Escape", label: t("cancel"), act: cancel }];
    }
    const found = readyCount() ? [{ key: "A", label: t("release_all", { n: readyCount() }), act: askAll }] : [];
    const one = (items || [])[index];
    if (!one || resting) return found;
    found.push({ key: "Y", label: t(one.result ? "yes_second" : "yes_first"), act: signed(yes) });
    if (one.result) found.push({ key: "N", label: t("no"), act: () => { asking = "why"; verdict("note", t("why_not"), one.barcode); show(); } });
    if (items.length > 1) found.push({ key: "S", label: t("skip"), act: () => { index = (index + 1) % items.length; verdict("", ""); show(); } });
    return found;
  },
  async open() {
    [ready, items, mine, index, asking] = [null, null, 0, 0, null];
    countUnsent(() => 0);
    await look();
  },
  scan() {
    asking = null;
    verdict("bad", t("wrong_key"), t("press"));
    show();
  },
  async enter() {
    if (asking !== "all") return;
    asking = null;
    await signed(releaseAll)();
  },
  draw() {
    if (!items) return [];
    const what = ready.map((one) => `${t(one.standing)} ${one.tubes}`).join(", ");
    const parts = [el("p", { class: "plain" }, what ? t("one_signature", { what }) : t("none_ready"))];
    parts.push(items.length ? card(items[index]) : el("p", { class: "plain" }, t("nothing_to_sign")));
    if (mine) parts.push(el("p", { class: "quiet" }, t("wait_other", { n: mine })));
    return parts;
  },
};

function card(one) {
  const about = one.result ? t("card_second", { who: one.proposed_by }) : t("card_first");
  const change = one.amends ? t("amends") : one.rejects ? t("rejects") : null;
  const heads = ["plate", "well", "call", "reason"].map((name) => el("th", { scope: "col" }, t(name)));
  const lines = one.readings.map((each) => el("tr", {}, ...[
    each.plate, each.well, `${t(each.call)}${each.blocked ? ` (${t("plate-blocked")})` : ""}`, t(each.reason),
    el("span", { class: "values" }, ...each.values.map(([target, ct]) => el("span", {}, el("i", {}, target), " ", el("b", {}, ct === null ? t("no_curve") : (ct / 1000).toFixed(2))))),
  ].map((inside) => el("td", {}, inside))));
  return el("article", { class: `card ${one.outcome}` },
    el("p", { class: "quiet" }, t("of_many", { i: index + 1, n: items.length })),
    el("h2", {}, el("code", {}, one.barcode), " ", el("strong", {}, t(one.outcome))),
    change ? el("p", {}, el("b", {}, change)) : null,
    el("p", {}, about),
    one.readings.length ? el("table", {}, el("thead", {}, el("tr", {}, ...heads, el("th", { scope: "col" }, "Ct"))), el("tbody", {}, ...lines))
      : el("p", {}, t("no_reading")));
}
