// Buttons that open a row in another view, and keys that go from row to row.
element.addEventListener("click", event => {
  const button = event.target.closest("button[data-view]");
  if (!button) return;
  const asked = { split: button.dataset.split, row: Number(button.dataset.row) };
  if (button.dataset.view === "prediction") trigger("in_prediction", asked);
  if (button.dataset.view === "compare") trigger("in_compare", asked);
  if (button.dataset.view === "tokens") trigger("in_tokens", asked);
});

element.addEventListener("keydown", event => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const here = event.target.closest("button[data-view]");
  if (!step || !here) return;
  const column = [...element.querySelectorAll(`button[data-view=${here.dataset.view}]`)];
  const next = column[column.indexOf(here) + step];
  if (!next) return;
  next.focus();
  event.preventDefault();
});
