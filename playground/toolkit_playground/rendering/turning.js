// What is chosen and is not there yet: the run, by the number of its pick, and what a view is about,
// such as its row. What is asked in between is asked of that: it waits here, as the server would
// still take what was chosen before, whose answers go when the new choice comes. With the next pick
// of a run it is asked no more.
window.toolkitTurning = (() => {
  const LONGEST = 60_000; // a server that fails must not keep the page from asking
  let picked = "", number = 0, drawn = 0;
  const turning = new Set(); // other choices that are on their way
  let chosen = 0; // how many there were
  const sent = {}; // an event → how many there were when the server was told last
  const open = {}; // an event → how many of what the server was told are not answered
  const waiting = new Map(); // what goes on → the view's name
  const busy = view => drawn < number ||
    [...turning].some(one => one.view === view && Date.now() - one.since < LONGEST);
  const release = () => waiting.forEach((view, go) => {
    if (!busy(view)) go();
  });
  return {
    pick: id => {
      picked = id;
      number += 1;
      waiting.clear();
    },
    picked: () => [picked, String(number)],
    drawn: last => {
      drawn = Math.max(drawn, Number(last));
      release();
    },
    // By an event, a view is going to be about something else. Of several such events gradio tells
    // the server each at once, or the last one when the first is answered, as it happens.
    turn: (view, event) => {
      turning.add({view, event, place: ++chosen, since: Date.now()});
    },
    told: (event, ...values) => {
      sent[event] = chosen;
      open[event] = (open[event] ?? 0) + 1;
      return values;
    },
    turned: event => {
      open[event] -= 1;
      if (open[event]) return;
      for (const one of turning) {
        if (one.event === event && one.place <= sent[event]) turning.delete(one);
      }
      setTimeout(release); // once gradio has come to an event that it has put off
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
