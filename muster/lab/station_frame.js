// What all modes of the scanning station share: asking the server, the one field, verdicts that are
// seen, heard and read out, keys, and a line of work that survives a lost connection.
import { say } from "./station_words.js";

const LANGUAGE = "muster-station-language";
const KEY_MS = 150; // a scanner types faster than that: one key alone was a person's
const SLIP_MS = 600;
const ANSWER_MS = 20000;
const RETRY_MS = 2000;
const TONES = { good: [[1320, 0.1]], bad: [[220, 0.18], [165, 0.26]], wait: [[660, 0.06]] }; // Hz, s

export const here = { who: null, lab: null, csrf: "", language: "zh", mode: null, menu: null, signIn: null };
const asked = navigator.language.toLowerCase().startsWith("en") ? "en" : "zh";
here.language = localStorage.getItem(LANGUAGE) || asked;

export const part = (id) => document.getElementById(id);
export const t = (key, values) => say(here.language, key, values);

const slugOf = (said) => String(said && said.type).split(":").pop();

export class Lost extends Error {} // no answer, or "later": what was asked was done, or was not
export class Refused extends Error {
  constructor(said) {
    super(said.detail);
    this.slug = slugOf(said);
    this.status = said.status;
  }
}

/** A new element; `about` holds its attributes, `class` among them. */
export function el(tag, about, ...inside) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(about || {})) {
    if (value !== undefined && value !== false) made.setAttribute(name, value);
  }
  made.append(...inside.filter((one) => one !== null && one !== undefined));
  return made;
}

/** Ask the server. Throws Refused with its words, or Lost. Who is no longer signed in signs in first. */
export async function ask(path, body, method) {
  const headers = { "accept-language": here.language, "x-muster-csrf": here.csrf };
  if (body) headers["content-type"] = "application/json";
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), ANSWER_MS);
  let answer, said;
  try {
    answer = await fetch(path, {
      method: method || (body ? "POST" : "GET"), headers, body: body && JSON.stringify(body), signal: late.signal,
    });
    const text = await answer.text();
    said = text ? JSON.parse(text) : null;
  } catch (error) {
    connected(false);
    throw new Lost();
  } finally {
    clearTimeout(timer);
  }
  const later = answer.status === 429 || answer.status >= 500;
  connected(!later);
  if (later) throw new Lost(said && said.detail);
  if (answer.status === 401 && here.who && slugOf(said) === "not-signed-in") {
    await here.signIn();
    return ask(path, body, method);
  }
  if (!answer.ok) throw new Refused(said);
  if (said && said.csrf) here.csrf = said.csrf;
  return said;
}

let online = true;
let unsent = () => 0;
let others = "";

/** How many scans wait to be sent, as the line at the top says. */
export function countUnsent(counting) {
  unsent = counting;
}

export function connected(now) {
  online = now;
  const n = unsent();
  const text = online ? others : n ? t("lost_unsent", { n }) : t("lost");
  if (part("line").textContent !== text) part("line").textContent = text;
  part("line").hidden = !text;
}

export function tellOfOthers(text) {
  others = text;
  connected(online);
}

export const isOnline = () => online;

/** Work off what waits, in its order, one at a time. What was Lost is tried again; what was Refused is
 * told and dropped. Returns a function that sets to work. */
export function lineOf({ waiting, work, refused, changed }) {
  let busy = false, again;
  return async function pump() {
    if (busy) return;
    busy = true;
    clearTimeout(again);
    try {
      while (waiting().length) {
        const one = waiting()[0];
        try {
          await work(one);
        } catch (error) {
          if (error instanceof Lost) {
            one.unsure = true;
            again = setTimeout(pump, RETRY_MS);
            return;
          }
          if (!(error instanceof Refused)) throw error;
          refused(one, error);
        }
        if (waiting()[0] === one) waiting().shift();
        changed();
      }
    } finally {
      busy = false;
      changed();
    }
  };
}

let sound;
function play(kind) {
  const Sound = window.AudioContext || window.webkitAudioContext;
  if (!Sound || !TONES[kind]) return;
  sound = sound || new Sound();
  if (sound.state === "suspended") sound.resume();
  let at = sound.currentTime;
  for (const [hz, seconds] of TONES[kind]) {
    const tone = sound.createOscillator(), volume = sound.createGain();
    tone.frequency.value = hz;
    tone.type = kind === "bad" ? "square" : "sine";
    volume.gain.value = 0.25;
    tone.connect(volume).connect(sound.destination);
    tone.start(at);
    tone.stop((at += seconds));
    at += 0.06;
  }
}

/** Say what became of it, to eye, ear and screen reader. `kind`: good, bad, wait or note (silent). */
export function verdict(kind, big, small) {
  const box = part("verdict");
  box.className = "";
  void box.offsetWidth; // so that the same verdict flashes again
  box.className = kind;
  box.querySelector(".big").textContent = big;
  box.querySelector(".small").textContent = small || "";
  play(kind);
}

export function focus() {
  if (!part("work").hidden) part("field").focus({ preventScroll: false });
}

/** Show a mode, or show it again after something changed. */
export function show(mode) {
  const other = mode && mode !== here.mode;
  if (other) {
    if (here.mode && here.mode.leave) here.mode.leave();
    here.mode = mode;
    part("field").value = "";
    verdict("", "");
  }
  const now = here.mode;
  if (!now) return;
  part("work").classList.toggle("slim", Boolean(now.slim && now.slim())); // keys only, nothing to scan
  part("title").textContent = now.title();
  part("prompt").textContent = now.prompt();
  const next = now.next ? now.next() : "";
  if (part("next").textContent !== next) part("next").textContent = next;
  part("next").hidden = !next;
  part("keys").replaceChildren(...keys().map(keyButton));
  part("body").replaceChildren(...now.draw());
  if (other) focus();
}

function keyButton({ key, label, act, on }) {
  const made = el("button", { type: "button", "aria-pressed": on === undefined ? undefined : String(on) }, el("kbd", {}, key === "Escape" ? "Esc" : key), " ", label);
  made.addEventListener("click", () => press(act));
  return made;
}

/** Do what a key or a scan asks for; whatever is refused is said. */
export async function run(act) {
  focus();
  try {
    await act();
  } catch (error) {
    if (error instanceof Refused) verdict("bad", t("refused"), error.message);
    else if (error instanceof Lost) verdict("bad", t("try_again"), error.message);
    else throw error;
  }
}

let acting = false;

/** A key pressed while another one's work goes on does nothing; scans always count. */
async function press(act) {
  if (acting) return;
  acting = true;
  try {
    await run(act);
  } finally {
    acting = false;
  }
}

/** The keys of the mode; from any work Escape leads back, unless the mode has another use for it. */
function keys() {
  const own = here.mode ? here.mode.keys() : [];
  if (!here.mode || !here.mode.open || own.some((one) => one.key === "Escape")) return own;
  return [...own, { key: "Escape", label: t("menu"), act: () => show(here.menu) }];
}

const keyed = (name) => keys().find((one) => one.key === name);

/** Wire the field: scans end in Enter, single keys stand alone, the others work at any time. */
export function wire() {
  const field = part("field");
  let alone;
  part("scan").addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(alone);
    const text = field.value.trim();
    field.value = "";
    const key = text.length === 1 && keyed(text.normalize("NFKC").toUpperCase());
    if (key) press(key.act);
    else if (text) run(() => here.mode.scan(text));
    else if (here.mode.enter) press(() => here.mode.enter());
  });
  field.addEventListener("input", (event) => {
    clearTimeout(alone);
    if (event.isComposing) return;
    const typed = field.value;
    const key = typed.length === 1 && keyed(typed.normalize("NFKC").toUpperCase());
    const slim = here.mode && here.mode.slim && here.mode.slim();
    if (!key && !slim) return;
    alone = setTimeout(() => {
      if (field.value !== typed) return;
      field.value = ""; // where nothing is scanned, what is no key is a slip
      if (key) press(key.act);
    }, key ? KEY_MS : SLIP_MS);
  });
  field.addEventListener("compositionstart", () => verdict("bad", t("input_method")));
  document.addEventListener("keydown", (event) => {
    if (part("work").hidden || !here.mode || event.ctrlKey || event.altKey || event.metaKey) return;
    const key = event.key.length > 1 && keyed(event.key);
    if (key && event.key !== "Enter") {
      event.preventDefault();
      if (!event.repeat) press(key.act);
    } else if (event.key === "Backspace" && !field.value && here.mode.back) {
      event.preventDefault();
      if (!event.repeat) press(() => here.mode.back());
    } else if (event.key.length === 1 && event.key !== " " && event.target !== field) {
      focus(); // what was typed elsewhere was meant for the field
    }
  });
  window.addEventListener("focus", focus);
}

export function setLanguage(language) {
  here.language = language;
  localStorage.setItem(LANGUAGE, language);
  translate();
  show();
}

export function translate() {
  document.documentElement.lang = here.language;
  document.title = `${t("station")} – Muster 集结`;
  for (const one of document.querySelectorAll("[data-t]")) one.textContent = t(one.dataset.t);
  part("language").textContent = t("other_language");
  part("language").lang = here.language === "zh" ? "en" : "zh";
  connected(online);
}

/** What is kept on this machine for somebody in a laboratory, in case the page or the connection goes. */
export const kept = (what) => {
  const name = `muster-station:${what}:${here.who.login}:${here.lab.lab}`;
  return {
    read: () => JSON.parse(localStorage.getItem(name) || "null"),
    write: (value) => (value ? localStorage.setItem(name, JSON.stringify(value)) : localStorage.removeItem(name)),
  };
};

/** A label as the server reads it: half-width, without spaces and the scanner's prefix. */
export const tidy = (text) => text.normalize("NFKC").replace(/\s/g, "").replace(/^(\][A-Za-z][0-9A-Za-z])+/, "");
