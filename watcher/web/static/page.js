// Shows what is new every half minute, without losing the place. Left alone while somebody is at work in the page.
"use strict";
(() => {
  const every = 30000;
  let shown = document.querySelector("main").outerHTML; // as it came, before anything is drawn into it
  const busy = () => {
    const at = document.activeElement;
    return document.hidden || String(getSelection()) !== "" || (at && at !== document.body && document.querySelector("main").contains(at)) ||
      document.querySelector("main details[open]") !== null;
  };
  const renew = async () => {
    if (busy()) return;
    try {
      const answer = await fetch(location.href, { headers: { accept: "text/html" }, credentials: "same-origin" });
      if (!answer.ok || busy()) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.querySelector("main"), old = document.querySelector("main");
      if (!fresh || fresh.outerHTML === shown) return;
      document.title = page.title;
      shown = fresh.outerHTML;
      old.replaceWith(document.adoptNode(fresh));
      document.dispatchEvent(new Event("renewed"));
    } catch { /* the watcher is away for a moment: the page stays as it is */ }
  };
  setInterval(renew, every);
})();
