// Receiving: a box, then its tubes, one scan after the other. Scans are kept on this machine until the
// server has answered each, in order; a scan that may or may not have arrived is asked after first.
import { ask, connected, countUnsent, el, here, isOnline, kept, lineOf, show, t, tidy, verdict } from "./station_frame.js";

const LOG = 12, LEFT_SHOWN = 20;
const CONDITIONS = { F2: "leaking", F3: "damaged", F4: "empty" };
// What is heard of first where several things are wrong, as the server has it.
const GRAVEST = ["leaking", "damaged", "empty", "unlabelled", "wrong_lab", "unknown", "ambiguous", "again", "extra", "too_old"];

let store, box, condition, asking;
const fresh = () => ({ code: "", reception: null, expected: 0, scanned: 0, left: [], log: [], queue: [] });
const unsent = () => (box ? box.queue.length : 0);
const entryOf = (one) => box.log.find((each) => each.id === one.id) || {};

const pump = lineOf({
  waiting: () => box.queue,
  work: (one) => WORK[one.what](one),
  refused(one, error) {
    entryOf(one).state = "refused";
    const over = ["reception-over", "reception-unknown"].includes(error.slug);
    const behind = one.what === "box" || over ? box.queue.splice(1).filter((each) => each.what === "scan").length : 0;
    if (one.what === "box" || over) box = { ...fresh(), queue: box.queue, log: over ? box.log : [] };
    verdict("bad", t("refused"), [one.text, error.message, behind ? t("dropped", { n: behind }) : ""].filter(Boolean).join(" "));
  },
  changed() {
    store.write(box);
    connected(isOnline());
    show();
  },
});

const WORK = {
  async box(one) {
    const code = tidy(one.text);
    // Begun before, here or at another desk, or by a request whose answer was lost: gone on with.
    const { items } = await ask(`/v1/labs/${encodeURIComponent(here.lab.lab)}/receptions?limit=100`);
    const open = items.find((each) => each.code === code && !each.ended_at);
    const found = open ? await ask(`/v1/receptions/${open.reception}`)
      : await ask(`/v1/labs/${encodeURIComponent(here.lab.lab)}/receptions`, { code: one.text });
    Object.assign(box, { code: found.code, reception: found.reception });
    learn(found);
    const has = found.expected ? t("box_expects", { n: found.expected }) : t("box_listless");
    const again = open ? t("box_resumed", { scanned: found.scanned, left: found.left.length }) : "";
    verdict("good", t("box_open", { code: found.code }), [has, again].filter(Boolean).join(" · "));
  },

  async scan(one) {
    const arrived = one.unsure && (await arrivedAlready(one));
    const answer = arrived || (await ask(`/v1/receptions/${box.reception}/scans`,
      { scans: [{ barcode: one.text, condition: one.condition }] }))[0];
    Object.assign(entryOf(one), { state: answer.verdict, barcode: answer.barcode });
    if (!arrived) {
      box.scanned += 1;
      box.left = box.left.filter((each) => each !== answer.barcode);
    }
    const kind = answer.verdict === "ok" ? "good" : "bad";
    verdict(kind, t(answer.verdict), [answer.barcode, t(`${answer.verdict}_do`)].filter(Boolean).join(" · "));
  },

  async undo(one) {
    const entry = entryOf(one);
    if (entry.state === "refused") return;
    const before = box.scanned;
    if (one.unsure) learn(await ask(`/v1/receptions/${box.reception}`));
    if (box.scanned === before) await ask(`/v1/receptions/${box.reception}/undo`, { barcode: entry.barcode });
    learn(await ask(`/v1/receptions/${box.reception}`));
    entry.state = "undone";
    verdict("note", t("undone"), entry.barcode);
  },

  async end(one) {
    const now = one.unsure && (await ask(`/v1/receptions/${box.reception}`));
    const found = now && now.ended_at ? now : await ask(`/v1/receptions/${box.reception}/emptied`, undefined, "POST");
    const facts = { code: found.code, expected: found.expected, scanned: found.scanned, missing: found.left.length };
    box = { ...fresh(), queue: box.queue };
    verdict(found.faults.length ? "bad" : "good", t(found.faults.length ? "done_bad" : "done_good", facts), t("done_small", facts));
  },
};

function learn(found) {
  Object.assign(box, { expected: found.expected, scanned: found.scanned, left: found.left });
}

/** Of a scan whose answer was lost: what the server made of it, or null where it never came. */
async function arrivedAlready(one) {
  const code = tidy(one.text), { scanned, left } = box;
  const now = await ask(`/v1/receptions/${box.reception}`);
  const faults = now.faults.filter((each) => each.split(" ")[1] === code).map((each) => each.split(" ")[0].replace("duplicate", "again"));
  const there = now.scanned > scanned && (left.includes(code) ? !now.left.includes(code) : faults.length > 0);
  if (!there) return null;
  learn(now);
  return { barcode: code, verdict: GRAVEST.find((each) => faults.includes(each)) || "ok" };
}

function put(one) {
  box.queue.push(one);
  store.write(box);
  if (!isOnline() && one.what === "scan") verdict("wait", t("kept"), t("kept_small", { code: one.text }));
  connected(isOnline());
  show();
  pump();
}

function set(what) {
  condition = condition === what ? "ok" : what;
  show();
}

function goOn() {
  asking = false;
  verdict("", "");
  show();
}

function undo() {
  const last = box.log.find((each) => !each.undoing && !["refused", "undone"].includes(each.state));
  if (!last) return verdict("note", t("nothing_to_undo"));
  last.undoing = true;
  put({ what: "undo", id: last.id });
}

function finish() {
  if (!box.reception) return;
  if (box.queue.length) return verdict("bad", t("finish_wait", { n: box.queue.length }), t("finish_wait_small"));
  if (!box.left.length) return put({ what: "end" });
  asking = true;
  verdict("note", t("finish_ask", { n: box.left.length }), t("finish_how"));
  show();
}

export const receiving = {
  title: () => t("reception"),
  prompt() {
    const opening = box && !box.reception && box.queue.find((one) => one.what === "box");
    if (opening) return t("opening", { code: opening.text });
    return box && box.reception ? t("scan_tube", { code: box.code }) : t("scan_box");
  },
  next: () => (condition && condition !== "ok" ? t("next_is", { what: t(condition) }) : ""),
  keys() {
    if (!box || !box.reception) return [];
    if (asking) {
      return [{ key: "Enter", label: t("finish_yes"), act: () => receiving.enter() }, { key: "Escape", label: t("finish_no"), act: goOn }];
    }
    const looks = Object.entries(CONDITIONS).map(([key, what]) => ({ key, label: t(what), on: condition === what, act: () => set(what) }));
    return [...looks, { key: "F8", label: t("undo"), act: undo }, { key: "F9", label: t("finish"), act: finish }];
  },
  open() {
    if (!box) {
      store = kept("box");
      box = Object.assign(fresh(), store.read());
      if (box.queue.length) box.queue[0].unsure = true; // it may have been on its way
    }
    condition = "ok";
    asking = false;
    countUnsent(unsent);
    if (box.reception) verdict("note", t("box_open", { code: box.code }), t("box_resumed", { scanned: box.scanned, left: box.left.length }));
    show();
    pump();
  },
  scan(text) {
    asking = false;
    if (!box.reception && !box.queue.some((one) => one.what === "box")) return put({ what: "box", text });
    if (tidy(text) === box.code) return verdict("note", t("same_box"));
    const id = Date.now() + Math.random();
    box.log.unshift({ id, barcode: tidy(text), condition, state: "sending" });
    box.log.length = Math.min(box.log.length, LOG);
    const one = { what: "scan", id, text, condition };
    condition = "ok";
    put(one);
  },
  enter() {
    if (!asking) return;
    asking = false;
    put({ what: "end" });
  },
  draw() {
    if (!box || !(box.reception || box.queue.length)) return [];
    const counts = [["scanned", box.scanned], ["expected", box.expected], ["left", box.left.length]];
    if (unsent()) counts.push(["unsent", unsent()]);
    const parts = [el("dl", { class: "counts" }, ...counts.map(([name, n]) => el("div", { class: name }, el("dt", {}, t(name)), el("dd", {}, String(n)))))];
    const left = box.left.length && (asking || box.left.length <= LEFT_SHOWN)
      ? el("section", { class: "left" }, el("h2", {}, t("still_left")), el("ul", { class: "codes" }, ...box.left.map((one) => el("li", {}, one)))) : null;
    const log = box.log.length
      ? el("section", {}, el("h2", {}, t("last_scans")), el("ol", { class: "log" }, ...box.log.map(logged))) : null;
    return [...parts, el("div", { class: "pair" }, log, left)];
  },
};

function logged(one) {
  const kind = one.state === "ok" ? "good" : ["sending", "undone"].includes(one.state) ? "note" : "bad";
  return el("li", { class: kind }, el("code", {}, one.barcode), " ", el("b", {}, t(one.state === "sending" && !isOnline() ? "unsent" : one.state)));
}

/** Whether one's own box was left open on this machine. */
export function hasOpenBox() {
  const found = kept("box").read();
  return Boolean(found && (found.reception || found.queue.length));
}

/** Whose scans of this laboratory wait on this machine, beside one's own: `{who, n}` each. */
export function unsentOfOthers() {
  const found = [];
  for (let i = 0; i < localStorage.length; i++) {
    const [, what, who, lab] = localStorage.key(i).split(":");
    if (what !== "box" || who === here.who.login || lab !== here.lab.lab) continue;
    const n = JSON.parse(localStorage.getItem(localStorage.key(i))).queue.length;
    if (n) found.push({ who, n });
  }
  return found;
}
