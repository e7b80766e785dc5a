// Shows what is new every half minute, without losing the place. Left alone while somebody is at work in the page. Says so
// where the watcher does not answer, since what is shown then grows old.
"use strict";
(() => {
  const every = 30000;
  let shown = document.querySelector("main").outerHTML; // as it came, before anything is drawn into it
  const busy = () => {
    const at = document.activeElement;
    return document.hidden || String(getSelection()) !== "" || (at && at !== document.body && document.querySelector("main").contains(at)) ||
      document.querySelector("main details[open]") !== null;
  };
  const away = document.querySelector(".away");
  let answered = new Date().toISOString();
  const silent = () => {
    away.textContent = `The watcher has not answered since ${answered.slice(0, 10)} ${answered.slice(11, 16)} UTC by this machine's clock. What is below is as it was then.`;
    away.hidden = false;
  };
  const renew = async () => {
    if (busy()) return;
    try {
      const answer = await fetch(location.href, { headers: { accept: "text/html" }, credentials: "same-origin" });
      if (!answer.ok) return silent();
      answered = new Date().toISOString();
      away.hidden = true;
      if (busy()) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.querySelector("main"), old = document.querySelector("main");
      if (!fresh || fresh.outerHTML === shown) return;
      document.title = page.title;
      shown = fresh.outerHTML;
      old.replaceWith(document.adoptNode(fresh));
      document.dispatchEvent(new Event("renewed"));
    } catch { silent(); }
  };
  setInterval(renew, every);
})();
