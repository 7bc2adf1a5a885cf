// The list of runs. Everything is delegated to the element, whose content is drawn anew.
const found = selector => element.querySelector(selector);
const picks = () => [...element.querySelectorAll(".tk-pick")];
const shown = () => picks().filter(one => !one.parentElement.hidden);

const narrow = () => {
  const words = found("input[type=search]").value.toLowerCase().split(/\s+/).filter(Boolean);
  const menus = [...element.querySelectorAll("select")].filter(menu => menu.value);
  let count = 0;
  for (const one of picks()) {
    const text = one.textContent.toLowerCase();
    const fits = words.every(word => text.includes(word))
      && menus.every(menu => one.dataset[menu.dataset.by] === menu.value);
    one.parentElement.hidden = !fits;
    count += fits;
  }
  const told = found("[role=status]");
  told.textContent = `${count} of ${told.dataset.all} runs, the newest first`;
};

const close = () => {
  found("details").open = false;
  found("summary").focus();
};

element.addEventListener("input", narrow);
element.addEventListener("change", narrow);
element.addEventListener("toggle", event => {
  if (event.target.open) found("input[type=search]").focus();
}, true);
element.addEventListener("click", event => {
  const one = event.target.closest(".tk-pick");
  if (!one) return;
  for (const other of picks()) other.removeAttribute("aria-current");
  one.setAttribute("aria-current", "true");
  const now = found(".tk-now");
  now.dataset.run = one.dataset.run;
  now.replaceChildren(...[...one.childNodes].map(child => child.cloneNode(true)));
  close();
  noted();
  window.toolkitTurning.pick(one.dataset.run);
  trigger("select", { index: picks().indexOf(one), value: one.dataset.run });
});
element.addEventListener("keydown", event => {
  if (!found("details")?.open) return;
  if (event.key === "Escape") return close();
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step || event.target.tagName === "SELECT") return;
  const list = shown();
  const at = list.indexOf(event.target) + step;
  event.preventDefault();
  if (at < 0) found("input[type=search]").focus();
  else list[Math.min(at, list.length - 1)]?.focus();
});
const noted = () => window.toolkitAddress.run(found(".tk-now")?.dataset.run);
watch("value", noted);
noted();
document.addEventListener("click", event => {
  const details = found("details");
  if (details?.open && !element.contains(event.target)) details.open = false;
});
