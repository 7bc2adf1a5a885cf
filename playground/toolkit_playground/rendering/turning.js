// The runs that were picked, each under a number, until the server has drawn the last of them. What
// is asked in between is asked of that run: it waits here, as the server would still take the run
// before it, whose answers go when the new one comes. With the next pick it is asked no more.
window.toolkitTurning = (() => {
  const LONGEST = 60_000; // a server that fails must not keep the page from asking
  let picked = "", number = 0, drawn = 0;
  const waiting = new Set();
  return {
    pick: id => {
      picked = id;
      number += 1;
      waiting.clear();
    },
    picked: () => [picked, String(number)],
    drawn: last => {
      drawn = Math.max(drawn, Number(last));
      if (drawn < number) return;
      for (const go of waiting) go();
    },
    // Values as they were given, once no run is on its way.
    over: (...values) => new Promise(resolve => {
      if (drawn >= number) return resolve(values);
      const go = () => {
        if (waiting.delete(go)) resolve(values);
      };
      waiting.add(go);
      setTimeout(go, LONGEST);
    }),
    // Goes on, unless a run is on its way: what was asked before its pick is asked no more. A promise
    // that is never kept ends the chain.
    still: () => new Promise(resolve => {
      if (drawn >= number) resolve([]);
    }),
  };
})();
