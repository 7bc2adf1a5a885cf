
// The runs that were picked, each under a number, until the server has drawn the last of them. What
// is asked in between is asked of that run: it waits here, as the server would still take the run
// before it, whose answers go when the new one comes.
window.toolkitTurning = (() => {
  const LONGEST = 60_000; // a server that fails must not keep the page from asking
  let picked = "", number = 0, drawn = 0, waiting = [];
  return {
    pick: id => { picked = id; number += 1; },
    picked: () => [picked, String(number)],
    drawn: last => {
      drawn = Math.max(drawn, Number(last));
      if (drawn < number) return;
      for (const go of waiting) go();
      waiting = [];
    },
    // Values as they were given, once no run is on its way.
    over: (...values) => new Promise(resolve => {
      if (drawn >= number) return resolve(values);
      const go = () => resolve(values);
      waiting.push(go);
      setTimeout(go, LONGEST);
    }),
  };
})();
