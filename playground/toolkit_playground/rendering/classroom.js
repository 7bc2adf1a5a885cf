// Buttons beside the names: the page is told which name is meant.
element.addEventListener("click", event => {
  const button = event.target.closest("button[data-event]");
  if (button) trigger(button.dataset.event, { who: button.dataset.name });
});
