// Buttons beside the names: the page is told which name is meant. Each event stands here in quotes,
// as gradio 6.31 looks for it in this text.
element.addEventListener("click", event => {
  const button = event.target.closest("button[data-event]");
  if (!button) return;
  if (button.dataset.event === "remove") trigger("remove", { who: button.dataset.name });
  if (button.dataset.event === "undo") trigger("undo", { who: button.dataset.name });
});
