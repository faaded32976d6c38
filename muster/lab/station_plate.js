// Loading a plate: its label, its layout, its assay, then tube after tube into the next free well. Each
// tube is asked after at once, so that a wrong one is not pipetted; the plate is stored as a whole.
import { ask, countUnsent, el, here, isOnline, kept, lineOf, Refused, show, t, tidy, verdict } from "./station_frame.js";

const ROWS = "ABCDEFGHIJKLMNOP";
const MARKS = { positive_control: "+", negative_control: "–", no_template_control: "0" };
let store, plate, layouts, assays, repeats, wrong, leaving, saving;

const fresh = () => ({ code: "", layout: null, assay: "", placed: [], repeats: [], queue: [] });
const path = (rest) => `/v1/labs/${encodeURIComponent(here.lab.lab)}/${rest}`;
const wellOf = (barcode) => (plate.placed.find((one) => one.barcode === barcode) || {}).well;

/** Wells for tubes, down the columns as a multichannel pipette goes. */
function room() {
  const { size, controls, empty } = plate.layout;
  const found = [];
  for (let column = 1; column <= (size === 96 ? 12 : 24); column++) {
    for (const row of ROWS.slice(0, size === 96 ? 8 : 16)) {
      const well = row + String(column).padStart(2, "0");
      if (!controls[well] && !(empty || []).includes(well)) found.push(well);
    }
  }
  return found;
}
const nextWell = () => room()[plate.placed.length];

const pump = lineOf({
  waiting: () => plate.queue,
  work: place,
  refused: (one, error) => verdict("bad", t("refused"), error.message),
  changed() {
    store.write(plate.code ? plate : null);
    show();
  },
});

async function place({ text, again }) {
  const refuse = (why) => verdict("bad", t("refused"), `${tidy(text)} · ${why}`);
  const found = await ask(path(`samples/${encodeURIComponent(text)}`));
  const stands = wellOf(found.barcode);
  if (stands) return refuse(t("on_this_plate", { well: stands }));
  if (!nextWell()) return refuse(t("plate_full", { code: plate.code }));
  if (!again && !["load", "repeat"].includes(found.next)) return refuse(why(found));
  const well = nextWell();
  plate.placed.push({ well, barcode: found.barcode });
  if (again || found.next === "repeat") plate.repeats.push(found.barcode);
  wrong = [];
  verdict("good", well, found.barcode);
}

function why(found) {
  if (found.next === "done") return t("released_already");
  if (found.next === "identify") return t("is_unknown");
  if (found.next === "unfit") return t("is_unfit", { what: t(found.condition) });
  if (found.next === "run") return t("standing_on", { plate: found.plate_code, well: found.well });
  return t("to_sign_first");
}

function undo() {
  leaving = false;
  const last = plate.placed.pop();
  if (!last) return verdict("note", t("nothing_to_undo"));
  plate.repeats = plate.repeats.filter((one) => one !== last.barcode);
  wrong = [];
  verdict("note", t("undone"), `${last.well} ${last.barcode}`);
  store.write(plate);
  show();
}

async function load() {
  if (plate.queue.length) return verdict("bad", t("finish_wait", { n: plate.queue.length }));
  if (!plate.placed.length) return verdict("note", t("nothing_loaded"));
  const wells = Object.fromEntries(plate.placed.map((one) => [one.well, one.barcode]));
  leaving = false;
  saving = true;
  try {
    const done = await ask(path("plates"), { code: plate.code, assay: plate.assay, template: plate.layout.code, wells, repeats: plate.repeats });
    const said = { code: plate.code, n: plate.placed.length };
    forget();
    verdict("good", t("loaded", said), done.files.length ? t("loaded_files", { n: done.files.length }) : t("loaded_next"));
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const named = new Set(error.message.split(/[\s,;:.()+，；：。（）]+/));
    wrong = plate.placed.filter((one) => named.has(one.barcode));
    if (!wrong.length) wrong = plate.placed.filter((one) => named.has(one.well));
    const wells = wrong.map((one) => `${one.well} ${one.barcode}`).join(", ");
    verdict("bad", t("refused"), error.message + (wells ? ` ${t("wells_named", { wells })}` : ""));
  } finally {
    saving = false;
  }
  show();
}

function leave() {
  if (!plate.placed.length || leaving) return forget();
  leaving = true;
  verdict("note", t("leave_ask", { n: plate.placed.length }), t("leave_how"));
}

function forget() {
  plate = fresh();
  wrong = [];
  leaving = false;
  store.write(null);
  show();
}

function settle(change) {
  Object.assign(plate, change);
  if (plate.layout && !plate.assay && assays.length === 1) plate.assay = assays[0].assay;
  store.write(plate);
  show();
}

const step = () => (!plate || !plate.code ? "plate" : !plate.layout ? "layout" : !plate.assay ? "assay" : "tubes");

export const loading = {
  title: () => t("plates"),
  prompt() {
    const { code } = plate || {};
    if (step() === "plate") return t("scan_plate");
    if (step() === "layout") return t("choose_layout", { code });
    if (step() === "assay") return t("choose_assay", { code });
    return nextWell() ? t("scan_into", { code, well: nextWell() }) : t("plate_full", { code });
  },
  slim: () => ["layout", "assay"].includes(step()),
  next: () => (repeats ? t("next_repeat") : ""),
  keys() {
    const away = { key: "F10", label: t("discard_draft"), act: leave };
    if (step() === "plate") return [];
    if (step() === "layout") {
      return [...layouts.map((one, i) => ({ key: String(i + 1), label: t("layout", { size: one.size, code: one.code.startsWith("usual-") ? t("usual") : one.code }), act: () => settle({ layout: one }) })), away];
    }
    if (step() === "assay") {
      return [...assays.map((one, i) => ({ key: String(i + 1), label: one.name || one.assay, act: () => settle({ assay: one.assay }) })), away];
    }
    return [
      { key: "F2", label: t("declared"), on: repeats, act: () => { repeats = !repeats; show(); } },
      { key: "F8", label: t("undo"), act: undo }, { key: "F9", label: t("load"), act: load }, away,
    ];
  },
  back: () => (step() === "tubes" ? undo() : null),
  async open() {
    if (!plate) {
      store = kept("plate");
      plate = Object.assign(fresh(), store.read());
    }
    repeats = false;
    wrong = [];
    layouts = assays = [];
    countUnsent(() => plate.queue.length);
    const [found, rules] = [await ask("/v1/plate-templates"), await ask("/v1/assays")];
    layouts = [...found.adopted.map((one) => one.layout), ...found.usual].slice(0, 9);
    const now = new Date().toISOString();
    const inForce = rules.editions.filter((one) => new Date(one.since).toISOString() <= now);
    assays = inForce.filter((one, i) => inForce.findIndex((each) => each.assay === one.assay) === i).slice(0, 9);
    if (!assays.length) verdict("bad", t("no_assay"));
    show();
    pump();
  },
  async scan(text) {
    leaving = false;
    if (saving) return verdict("bad", t("saving"), t("saving_how"));
    if (step() === "plate") return settle(await ask(path(`free-plates/${encodeURIComponent(text)}`)));
    if (step() !== "tubes") return verdict("bad", t("wrong_key"), t("press"));
    plate.queue.push({ text, again: repeats });
    repeats = false;
    if (!isOnline()) verdict("wait", t("kept"), t("kept_small", { code: text }));
    store.write(plate);
    show();
    pump();
  },
  draw: () => (plate && plate.layout ? [drawn(), legend()] : []),
};

function drawn() {
  const { size, controls, empty } = plate.layout;
  const columns = size === 96 ? 12 : 24;
  const taken = Object.fromEntries(plate.placed.map((one) => [one.well, one.barcode]));
  const bad = new Set(wrong.map((one) => one.well));
  const cells = [el("span", {})];
  for (let column = 1; column <= columns; column++) cells.push(el("span", { class: "head" }, String(column)));
  for (const row of ROWS.slice(0, size === 96 ? 8 : 16)) {
    cells.push(el("span", { class: "head" }, row));
    for (let column = 1; column <= columns; column++) {
      const well = row + String(column).padStart(2, "0");
      const kind = controls[well] || ((empty || []).includes(well) ? "shut" : bad.has(well) ? "wrong" : taken[well] ? "tube" : well === nextWell() ? "due" : "free");
      const repeat = plate.repeats.includes(taken[well]) ? "R" : "";
      cells.push(el("span", { class: `well ${kind}`, title: `${well} ${taken[well] || (controls[well] ? t(controls[well]) : "")}` }, MARKS[kind] || repeat));
    }
  }
  const label = t("plate_drawn", { n: plate.placed.length, well: nextWell() || "–" });
  return el("div", { class: `plate p${size}`, role: "img", "aria-label": label }, ...cells);
}

function legend() {
  const roles = [...new Set(Object.values(plate.layout.controls))];
  const items = [["tube", t("tube"), ""], ...roles.map((one) => [one, t(one), MARKS[one]])];
  if ((plate.layout.empty || []).length) items.push(["shut", t("shut"), ""]);
  const last = plate.placed.slice(-5).reverse().map((one) => el("li", { class: "good" }, el("b", {}, one.well), " ", el("code", {}, one.barcode)));
  return el("div", { class: "under" },
    el("ul", { class: "legend" }, ...items.map(([kind, name, mark]) => el("li", {}, el("span", { class: `well ${kind}` }, mark), " ", name))),
    el("ol", { class: "log" }, ...last));
}
