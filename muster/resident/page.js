// What makes residents' pages easier; all of them work without it. No newer words than old phones know.
"use strict";
(function () {
  var part = function (id) { return document.getElementById(id); };

  // Once sent, a form is not sent twice. What shows a result is asked for without leaving the page, so that
  // the browser's history holds neither the fact nor what was answered.
  function guard(form) {
    form.addEventListener("submit", function (event) {
      if (form.getAttribute("data-quiet")) {
        event.preventDefault();
        quietly(form);
      }
      setTimeout(function () { able(form, false); }, 0);
    });
  }
  function able(form, yes) {
    var buttons = form.getElementsByTagName("button");
    for (var i = 0; i < buttons.length; i++) buttons[i].disabled = !yes;
  }
  function quietly(form) {
    var sent = [];
    for (var i = 0; i < form.elements.length; i++) {
      var one = form.elements[i];
      if (one.name) sent.push(encodeURIComponent(one.name) + "=" + encodeURIComponent(one.value));
    }
    var asked = new XMLHttpRequest();
    asked.open("POST", form.getAttribute("action"));
    asked.setRequestHeader("content-type", "application/x-www-form-urlencoded");
    asked.onload = function () {
      if ((asked.getResponseHeader("content-type") || "").indexOf("text/html") !== 0) { able(form, true); return; }
      var found = new DOMParser().parseFromString(asked.responseText, "text/html");
      document.documentElement.lang = found.documentElement.lang;
      document.title = found.title;
      document.body.innerHTML = found.body.innerHTML;
      window.scrollTo(0, 0);
      begin();
    };
    asked.onerror = function () { able(form, true); };
    asked.send(sent.join("&"));
  }
  window.addEventListener("pageshow", function (event) {
    if (!event.persisted) return;
    if (part("leaving")) { leave(); return; }
    able(document, true);
    var fact = part("fact");
    if (fact) fact.value = "";
  });

  var clock = 0;
  function leave() {
    document.body.innerHTML = "";
    location.replace("/r?lang=" + document.documentElement.lang.slice(0, 2));
  }

  function begin() {
    var forms = document.getElementsByTagName("form");
    for (var i = 0; i < forms.length; i++) guard(forms[i]);

    // A code that came in the address's fragment, which no server sees, and does not stay there.
    var code = part("code");
    if (code && location.hash.length > 1) {
      code.value = decodeURIComponent(location.hash.slice(1)).slice(0, 60);
      history.replaceState(null, "", location.pathname + location.search);
      part("fact").focus();
    }

    // The number of a document, looked at when it is typed.
    var number = part("number");
    var kind = part("kind");
    if (number && kind) {
      var birth = part("birth_date").parentNode;
      var said = part("number-said");
      var shape = function () {
        var none = kind.value === "none";
        number.parentNode.hidden = none;
        birth.hidden = kind.value === "resident_id" && !part("birth_date").value && !birth.querySelector(".wrong").textContent;
        if (none) birth.hidden = false;
      };
      var check = function () {
        shape();
        if (!number.value || kind.value === "none") { said.textContent = ""; return; }
        var asked = new XMLHttpRequest();
        asked.open("POST", "/r/check");
        asked.setRequestHeader("content-type", "application/x-www-form-urlencoded");
        asked.onload = function () {
          if (asked.status !== 200) return;
          var found = JSON.parse(asked.responseText);
          said.textContent = found.said;
          said.className = found.valid ? "wrong good" : "wrong";
          number.setAttribute("aria-invalid", found.valid ? "false" : "true");
          if (!found.told) birth.hidden = false;
        };
        asked.send("lang=" + document.documentElement.lang.slice(0, 2) + "&kind=" + encodeURIComponent(kind.value) +
          "&number=" + encodeURIComponent(number.value));
      };
      number.addEventListener("change", check);
      kind.addEventListener("change", check);
      said.setAttribute("role", "status");
      shape();
    }

    // Many buildings: those are shown whose name holds what is typed.
    var building = part("building");
    var find = part("find");
    if (building && find && building.options.length > 12) {
      find.parentNode.hidden = false;
      var all = [];
      for (var k = 0; k < building.options.length; k++) {
        all.push([building.options[k].value, building.options[k].text]);
      }
      find.addEventListener("input", function () {
        var wanted = find.value.replace(/\s/g, "").toLowerCase();
        var chosen = building.value;
        while (building.firstChild) building.removeChild(building.firstChild);
        for (var n = 0; n < all.length; n++) {
          var fits = !all[n][0] || all[n][1].replace(/\s/g, "").toLowerCase().indexOf(wanted) >= 0;
          if (!fits && all[n][0] !== chosen) continue;
          var one = document.createElement("option");
          one.value = all[n][0];
          one.text = all[n][1];
          one.selected = all[n][0] === chosen;
          building.appendChild(one);
        }
      });
    }

    // A result leaves the screen by itself, and the address that showed it with it.
    var leaving = part("leaving");
    clearInterval(clock);
    if (leaving) {
      document.body.className = "alive";
      var seconds = Number(leaving.getAttribute("data-seconds"));
      var until = new Date().getTime() + seconds * 1000;
      var tick = function () {
        var left = Math.max(0, Math.ceil((until - new Date().getTime()) / 1000));
        part("left").textContent = leaving.getAttribute("data-words").replace("{seconds}", String(left));
        if (left === 0) leave();
      };
      clock = setInterval(tick, 500);
      tick();
      part("more").hidden = false;
      part("more").addEventListener("click", function () {
        until = new Date().getTime() + seconds * 1000;
        tick();
      });
      part("finish").addEventListener("click", function (event) {
        event.preventDefault();
        leave();
      });
    }
    var print = part("print");
    if (print) {
      print.hidden = false;
      print.addEventListener("click", function () { window.print(); });
    }
  }
  begin();
})();
