// Tokens of answers and their alternatives are buttons; the arrow keys go from token to token.
const all = () => [...element.querySelectorAll("button[data-at]")];

element.addEventListener("click", event => {
  const token = event.target.closest("button[data-at]");
  if (token) {
    for (const other of all()) other.setAttribute("aria-pressed", String(other === token));
    trigger("pick", { side: token.dataset.side, at: Number(token.dataset.at) });
  }
  const way = event.target.closest("button[data-token]");
  if (way) {
    const { writer, side, at, token } = way.dataset;
    trigger("go_on", { writer, side, at: Number(at), token: Number(token) });
  }
});

// One token of each answer can be reached by Tab; from there the arrows lead on.
element.addEventListener("focusin", event => {
  const here = event.target.closest("button[data-at]");
  if (!here) return;
  for (const other of all())
    if (other.dataset.side === here.dataset.side) other.tabIndex = other === here ? 0 : -1;
});

element.addEventListener("keydown", event => {
  const here = event.target.closest("button[data-at]");
  if (!here) return;
  const row = all().filter(other => other.dataset.side === here.dataset.side);
  const at = row.indexOf(here);
  const next = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: row.length - 1 }[event.key];
  if (next === undefined || !row[next]) return;
  row[next].focus();
  event.preventDefault();
});
