// Buttons of the messages. The texts that are copied and edited are those of the server, not those
// that the page has drawn.
const copied = async text => {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const box = document.createElement("textarea"); // a page that is not served by TLS has no clipboard
  box.value = text;
  document.body.append(box);
  box.select();
  document.execCommand("copy");
  box.remove();
};

const named = (label, action) => {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = label;
  button.addEventListener("click", action);
  return button;
};

const edited = message => {
  const said = message.querySelector(".tk-said");
  const tools = message.querySelector(".tk-tools");
  if (message.querySelector("textarea")) return;
  const box = document.createElement("textarea");
  box.value = message.dataset.text;
  box.setAttribute("aria-label", "Edit the message");
  const done = document.createElement("p");
  done.className = "tk-tools";
  const close = () => { box.remove(); done.remove(); said.hidden = tools.hidden = false; };
  const confirm = () => {
    const value = box.value;
    close();
    trigger("edit", { index: Number(message.dataset.at), value });
  };
  done.append(named("Confirm", confirm), named("Cancel", close));
  box.addEventListener("keydown", event => {
    if (event.key === "Escape") close();
    if (event.key === "Enter" && !event.shiftKey) { event.preventDefault(); confirm(); }
  });
  said.hidden = tools.hidden = true;
  message.append(box, done);
  box.focus();
};

element.addEventListener("click", event => {
  const button = event.target.closest("button[data-do]");
  if (!button) return;
  const message = button.closest("[data-at]");
  if (button.dataset.do === "copy") copied(message.dataset.text);
  if (button.dataset.do === "edit") edited(message);
  if (button.dataset.do === "retry") trigger("retry", { index: Number(message.dataset.at) });
});
