// The queue by keyboard. Keys are told by their place (KeyJ), so they work in the Russian layout too.
(() => {
  "use strict";
  const PLACE = `row of ${location.pathname}`;
  // After a decision the page comes back; one goes on where one was.
  let current = Number(sessionStorage.getItem(PLACE) ?? -1);
  sessionStorage.removeItem(PLACE);

  const rows = () => [...document.querySelectorAll("#result_list .data-row")];

  const go = (step) => {
    const all = rows();
    if (!all.length) return;
    current = Math.min(Math.max(current + step, 0), all.length - 1);
    all.forEach((row, index) => row.classList.toggle("wp-current", index === current));
    all[current].querySelector("a.wp-title")?.focus({ preventScroll: true });
    all[current].scrollIntoView({ block: "nearest" });
  };

  const inRow = (selector) => rows()[current]?.querySelector(selector)?.click();

  const decide = (key) => {
    if (current < 0) return;
    // The row leaves the list, so the one before it is where J begins.
    sessionStorage.setItem(PLACE, String(current - 1));
    inRow(`[data-key=${key}]`);
  };

  const undo = () => document.querySelector(".wp-toast button")?.click();

  const renew = () => document.querySelector("#wp-new:not([hidden])")?.click();

  const help = () => document.getElementById("wp-keys-help")?.showModal();

  // A dialog that has just been closed may keep the focus for a moment: only an open one takes the keys.
  const elsewhere = (target) => target.closest("input:not([type=checkbox]), textarea, select") || document.querySelector("dialog[open]");

  document.addEventListener("keydown", (event) => {
    if (elsewhere(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "?") return help();
    const keys = {
      KeyJ: () => go(1),
      KeyK: () => go(-1),
      KeyE: () => inRow("a.wp-title"),
      KeyX: () => inRow("input.action-select"),
      KeyU: undo,
      KeyN: renew,
    };
    if (keys[event.code]) keys[event.code]();
    else if (["KeyA", "KeyS", "KeyR", "KeyB"].includes(event.code)) decide(event.code);
    else return;
    event.preventDefault();
  });
})();
