// The scanning station: who works here, in which laboratory, in which mode.
import { ask, connected, el, focus, here, part, Refused, setLanguage, show, t, tellOfOthers, translate, verdict, wire } from "./station_frame.js";
import { hasOpenBox, receiving, unsentOfOthers } from "./station_receiving.js";
import { loading } from "./station_plate.js";
import { openList, signing } from "./station_signing.js";

const MODES = { reception: receiving, plates: loading, samples: openList, release: signing };
const LAB = "muster-station-lab";
let labs = [];
let signedIn; // goes on with what waited for a session

function door(form, text) {
  part("work").hidden = true;
  part("door").hidden = false;
  part("out").hidden = form === "password";
  for (const one of ["password", "second", "undertaking"]) part(one).hidden = one !== form;
  part("said").textContent = text || "";
  const first = form && part(form).querySelector("input, button");
  if (first) first.focus();
}

async function enter(who) {
  if (here.who && here.who.login !== who.login) return location.reload(); // another's work is not shown on
  if (who.limited === "second_factor" && who.second_factor) return door("second");
  if (who.limited === "undertaking") {
    const text = await ask("/v1/session/undertaking");
    part("articles").replaceChildren(...text[here.language].map((one) => el("li", {}, one)));
    part("undertaking").dataset.edition = text.edition;
    return door("undertaking");
  }
  if (who.limited) return door("", t("set_up_first"));
  part("door").hidden = true;
  part("out").hidden = false;
  part("work").hidden = false;
  for (const one of ["login", "secret", "code"]) part(one).value = "";
  if (signedIn) { // a session had ended in the midst of the work
    signedIn();
    signedIn = null;
    focus();
    return;
  }
  here.who = who;
  labs = await ask("/v1/station");
  if (!labs.length) return door("", t("no_lab"));
  const last = labs.length === 1 ? labs[0] : labs.find((one) => one.lab === localStorage.getItem(LAB));
  if (last) choose(last);
  else show(chooseLab);
}

here.signIn = () => {
  if (!signedIn) door("password", t("signed_out")); // else it is open, and somebody types
  return new Promise((resolve) => {
    const before = signedIn;
    signedIn = () => { if (before) before(); resolve(); };
  });
};

const choice = { slim: () => true, draw: () => [], scan: () => verdict("bad", t("wrong_key"), t("press")) };

const chooseLab = {
  ...choice,
  title: () => t("station"),
  prompt: () => t("choose_lab"),
  keys: () => labs.map((one, i) => ({ key: String(i + 1), label: one.name, act: () => choose(one) })),
};

const menu = {
  ...choice,
  title: () => here.lab.name,
  prompt: () => t("choose_mode"),
  keys() {
    const found = Object.keys(MODES).map((right, i) => ({ key: String(i + 1), label: t(right), right, act: () => start(MODES[right]) }));
    const mine = found.filter((one) => here.lab.may.includes(one.right));
    return labs.length > 1 ? [...mine, { key: "Escape", label: t("choose_lab"), act: changeLab }] : mine;
  },
};

/** Anew, so that nothing of one laboratory's work goes on in another. */
function changeLab() {
  localStorage.removeItem(LAB);
  location.reload();
}

here.menu = menu;

function choose(lab) {
  here.lab = lab;
  part("where").textContent = `${lab.name} · ${here.who.name || here.who.login}`;
  localStorage.setItem(LAB, lab.lab);
  tellOfOthers(unsentOfOthers().map((one) => t("unsent_of", one)).join(" "));
  show(menu);
  if (lab.may.includes("reception") && hasOpenBox()) start(receiving); // the page was reloaded
}

async function start(mode) {
  show(mode);
  await mode.open();
}

function on(id, work) {
  part(id).addEventListener("submit", async (event) => {
    event.preventDefault();
    part("said").textContent = "";
    try {
      await work();
    } catch (error) {
      part("said").textContent = error.message || t("try_again");
    }
  });
}

on("password", async () => enter(await ask("/v1/session", { login: part("login").value.trim(), password: part("secret").value })));
on("second", async () => enter(await ask("/v1/session/second-factor", { code: part("code").value.trim() })));
on("undertaking", async () => enter(await ask("/v1/session/undertaking", { edition: part("undertaking").dataset.edition })));

part("language").addEventListener("click", () => {
  setLanguage(here.language === "zh" ? "en" : "zh");
  focus();
});
part("out").addEventListener("click", async () => {
  await ask("/v1/session", null, "DELETE").catch(() => null);
  location.reload();
});

translate();
wire();
window.addEventListener("online", () => connected(true));
ask("/v1/session").then(enter).catch((error) => door("password", error instanceof Refused ? "" : t("try_again")));
