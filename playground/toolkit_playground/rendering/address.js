
// What is chosen and set stands in the address, so that loading the page anew, Back and a link lead
// to the same place. A view's values stand there while it is the one that is shown.
window.toolkitAddress = (() => {
  const OF_A_RUN = ["row", "sides", "others", "conversation", "comparison", "runs"];
  // As it was when the page was asked for: a tab that is drawn says that it was chosen.
  const asked = location.search;
  const given = new URLSearchParams(asked);
  let ready = false;
  const tab = () => document.querySelector("#views [role=tab][aria-selected=true]")?.id
    .replace(/^tab-|-button$/g, "");
  const place = { run: given.get("run") || "", view: given.get("view") || "" };
  const values = {};
  for (const [name, value] of given)
    if (!(name in place) && !name.startsWith("__"))
      ((values[place.view] ||= {})[name] ||= []).push(value);

  const write = push => {
    const all = new URLSearchParams();
    for (const [name, value] of given) if (name.startsWith("__")) all.append(name, value);
    for (const name in place) if (place[name]) all.append(name, place[name]);
    for (const [name, list] of Object.entries(values[place.view] || {}))
      for (const value of list) all.append(name, value);
    const next = location.pathname + (all.size ? `?${all}` : "");
    if (next === location.pathname + location.search) return;
    history[push ? "pushState" : "replaceState"](history.state, "", next);
  };

  // What was changed is drawn anew by the server: there is one way to come to a place.
  let shown = location.search;
  addEventListener("popstate", () => { if (location.search !== shown) location.reload(); });
  const after = push => { write(push); shown = location.search; };

  return {
    question: () => asked,
    // A secret of this browser, by which it finds again what it has kept.
    browser: () => {
      const key = "toolkit-playground-browser";
      try {
        if (!/^[0-9a-f]{32}$/.test(localStorage.getItem(key) || "")) {
          const drawn = crypto.getRandomValues(new Uint8Array(16));
          localStorage.setItem(key, [...drawn].map(n => n.toString(16).padStart(2, "0")).join(""));
        }
        return localStorage.getItem(key);
      } catch {
        return ""; // it keeps nothing, so nothing is kept for it
      }
    },
    run: id => { // called once the page is loaded, and for each further run
      ready = true;
      place.view ||= tab() || "";
      if (!id || id === place.run) return;
      const first = !place.run;
      place.run = id;
      for (const view in values) for (const name of OF_A_RUN) if (!first) delete values[view][name];
      after(!first);
    },
    view: id => {
      if (!ready || id === place.view) return;
      place.view = id;
      after(true);
    },
    set: (view, name, value, push = false) => {
      const list = (Array.isArray(value) ? value : [value])
        .filter(one => one !== null && one !== undefined && one !== "" && one !== false)
        .map(one => (one === true ? "1" : String(one)));
      const held = (values[view] ||= {});
      if (list.length) held[name] = list;
      else delete held[name];
      place.view ||= view;
      after(push);
    },
  };
})();
