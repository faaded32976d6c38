// The enrolment page: reads the code from the address's fragment, which no server ever sees, and takes
// its holder through password, second factor and undertaking.
"use strict";

const part = (id) => document.getElementById(id);
const code = location.hash.slice(1);
let csrf = "";
let edition = "";
history.replaceState(null, "", location.pathname); // the code stays neither in sight nor in history

function say(text, done = false) {
  part("said").textContent = text;
  part("said").className = done ? "done" : "";
}

async function ask(path, body, method = "POST") {
  const headers = { "accept-language": navigator.language, "x-muster-csrf": csrf };
  if (body) headers["content-type"] = "application/json";
  const answer = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
  const said = await answer.json();
  if (!answer.ok) throw new Error(said.detail);
  const session = said.session || said;
  if (session.csrf) csrf = session.csrf;
  return said;
}

function show(id) {
  for (const form of document.forms) form.hidden = form.id !== id;
  const first = part(id) && part(id).querySelector("input:not([readonly])");
  if (first) first.focus();
}

async function goOn(session) {
  say("");
  if (session.limited === "second_factor") {
    const begun = await ask("/v1/session/totp");
    const drawn = new DOMParser().parseFromString(begun.qr, "text/html").querySelector("svg");
    drawn.setAttribute("role", "img");
    drawn.setAttribute("aria-label", "QR");
    part("qr").replaceChildren(drawn);
    part("secret").textContent = new URL(begun.address).searchParams.get("secret");
    show("second_factor");
  } else if (session.limited === "undertaking") {
    const text = await ask("/v1/session/undertaking", null, "GET");
    edition = text.edition;
    for (const language of ["zh", "en"]) {
      part(language).replaceChildren(...text[language].map(item));
    }
    show("undertaking");
  } else {
    show("");
    say("完成，您已登录。Done: you are signed in.", true);
  }
}

function item(text) {
  const one = document.createElement("li");
  one.textContent = text;
  return one;
}

function on(id, work) {
  part(id).addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      await work();
    } catch (error) {
      say(error.message);
    }
  });
}

on("password", async () => {
  if (part("new").value !== part("again").value) {
    throw new Error("两次输入不一致。The two differ.");
  }
  const body = { code, password: part("new").value };
  if (!part("login").readOnly) body.login = part("login").value;
  await goOn(await ask("/v1/enrolments", body));
});

on("second_factor", async () => {
  const done = await ask("/v1/session/totp/confirm", { code: part("code").value });
  part("codes").replaceChildren(...done.recovery_codes.map(item));
  part("recovery").hidden = false;
  await goOn(done.session);
});

on("undertaking", async () => {
  await goOn(await ask("/v1/session/undertaking", { edition }));
});

ask("/v1/enrolments/look", { code })
  .then((found) => {
    part("for-first").hidden = !found.first;
    if (!found.first) {
      part("login").value = found.login;
      part("login").readOnly = true;
    }
    show("password");
  })
  .catch((error) => say(error.message));
