// What is chosen and is not there yet: the run, by the number of its pick, and what a view is about,
// such as its row. What is asked in between is asked of that: it waits here, as the server would
// still take what was chosen before, whose answers go when the new choice comes. With the next
// choice it is asked no more.
window.toolkitTurning = (() => {
  const LONGEST = 60_000; // a server that fails must not keep the page from asking
  let picked = "", number = 0, drawn = 0;
  const turning = {}; // a view's name → when each of the choices was made that are on their way
  const waiting = new Map(); // what goes on → the view's name
  const busy = view => drawn < number ||
    (turning[view] ?? []).some(since => Date.now() - since < LONGEST);
  const drop = (...views) => waiting.forEach((view, go) => {
    if (!views.length || views.includes(view)) waiting.delete(go);
  });
  const release = () => waiting.forEach((view, go) => {
    if (!busy(view)) go();
  });
  return {
    pick: id => {
      picked = id;
      number += 1;
      drop();
    },
    picked: () => [picked, String(number)],
    drawn: last => {
      drawn = Math.max(drawn, Number(last));
      release();
    },
    // A view is going to be about something else; that it is.
    turn: (view, ...values) => {
      (turning[view] ??= []).push(Date.now());
      drop(view);
      return values;
    },
    turned: view => {
      turning[view]?.shift();
      release();
    },
    // Values as they were given, once nothing is on its way.
    over: (view, ...values) => new Promise(resolve => {
      if (!busy(view)) return resolve(values);
      const go = () => {
        if (waiting.delete(go)) resolve(values);
      };
      waiting.set(go, view);
      setTimeout(go, LONGEST);
    }),
    // Goes on, unless something is on its way: what was asked before it was chosen is asked no more.
    // A promise that is never kept ends the chain.
    still: view => new Promise(resolve => {
      if (!busy(view)) resolve([]);
    }),
  };
})();
