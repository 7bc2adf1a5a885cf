
// One key for a vote, where no text is typed; "?" shows all keys.
document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (event.target.closest?.("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]")) return;
  if (event.key === "?") {
    const keys = document.querySelector(".tk-keys");
    if (!keys) return;
    keys.open = !keys.open;
    if (keys.open) keys.querySelector("summary").focus();
    return;
  }
  const button = document.getElementById({
    a: "vote-left", b: "vote-right", t: "vote-tie", x: "vote-both-bad", n: "vote-next", z: "vote-undo",
  }[event.key.toLowerCase()]);
  const wanted = document.querySelector("#vote-keys input");
  if (!button?.offsetParent || button.disabled || !wanted?.checked || event.repeat) return;
  event.preventDefault();
  button.click();
});
