// What stands in the form is told once a person has stopped typing.
let waiting;
const values = () => Object.fromEntries(new FormData(element.querySelector("form")));
const tell = () => {
  clearTimeout(waiting);
  waiting = setTimeout(() => trigger("input", { value: values() }), 250);
};
element.addEventListener("input", tell);
element.addEventListener("submit", event => { event.preventDefault(); tell(); });
