// The workbench of a digest: sections are moved by dragging or by Alt and the arrow keys, and the page follows what
// workers write. Without this script the arrow buttons do the same, one place at a time.
(() => {
  "use strict";
  const PAUSE = 500; // milliseconds after the last move before the order is saved
  const INTERVAL = 2000; // milliseconds between two looks at what is being written
  const bench = document.getElementById("workbench");
  const form = document.getElementById("act");
  if (!bench || !form) return;

  const list = () => document.getElementById("sections");
  const sections = () => [...(list()?.children ?? [])];
  let timer = 0;
  let onTheirWay = 0; // orders that are being saved
  let saving = Promise.resolve(true); // whether the last one was saved

  // --- saving the order -----------------------------------------------------------------------------------------

  const takeOver = (page) => {
    // What somebody is typing stays; the post beside it and the numbers that saving is bound to are new.
    for (const id of ["preview", "units"]) {
      const [old, now] = [document.getElementById(id), page.getElementById(id)];
      if (old && now) old.replaceChildren(...now.childNodes);
    }
    for (const name of ["revision", "publication_revision"]) {
      const now = page.querySelector(`#act [name=${name}]`);
      if (!now) continue;
      for (const field of document.querySelectorAll(`input[name=${name}]`)) field.value = now.value;
    }
  };

  const save = async () => {
    const data = new FormData(form);
    const known = data.get("revision");
    data.set("_order", sections().map((section) => section.dataset.section).join(","));
    const answer = await fetch(location.pathname, { method: "POST", body: data });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const now = page.querySelector("#act [name=revision]")?.value;
    const order = [...page.querySelectorAll("#sections > li")].map((section) => section.dataset.section).join(",");
    // Somebody else was faster, or nobody answered for us: the page as it is now says so.
    const isDone = answer.ok && now !== known && order === data.get("_order");
    if (isDone) takeOver(page);
    else location.reload();
    return isDone;
  };

  const saveNow = () => {
    clearTimeout(timer);
    timer = 0;
    onTheirWay += 1;
    saving = saving
      .then(save)
      .catch(() => { window.alert(bench.dataset.failed); return false; })
      .finally(() => { onTheirWay -= 1; });
  };

  const saveSoon = () => {
    clearTimeout(timer);
    timer = setTimeout(saveNow, PAUSE);
  };

  const isSaved = () => !timer && !onTheirWay;

  // --- moving ---------------------------------------------------------------------------------------------------

  const move = (section, way) => {
    const other = way === "up" ? section.previousElementSibling : section.nextElementSibling;
    if (!other) return;
    if (way === "up") other.before(section);
    else other.after(section);
    section.scrollIntoView({ block: "nearest" });
    saveSoon();
  };

  bench.addEventListener("keydown", (event) => {
    const section = event.target.closest(".wp-section");
    const way = { ArrowUp: "up", ArrowDown: "down" }[event.key];
    if (!section || !way || !event.altKey || !section.hasAttribute("tabindex")) return;
    if (event.target.closest("input, textarea")) return;
    event.preventDefault();
    move(section, way);
    section.focus();
  });

  bench.addEventListener("click", (event) => {
    const button = event.target.closest("[data-way]");
    if (!button) return;
    event.preventDefault();
    move(button.closest(".wp-section"), button.dataset.way);
    button.focus();
  });

  let dragged = null;

  bench.addEventListener("dragstart", (event) => {
    if (!event.target.closest?.(".wp-handle")) return;
    dragged = event.target.closest(".wp-section");
    dragged.classList.add("wp-dragged");
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", dragged.dataset.section);
    event.dataTransfer.setDragImage(dragged, 20, 20);
  });

  bench.addEventListener("dragover", (event) => {
    if (!dragged) return;
    event.preventDefault();
    const over = event.target.closest("#sections > .wp-section");
    if (!over || over === dragged) return;
    const box = over.getBoundingClientRect();
    if (event.clientY < box.top + box.height / 2) over.before(dragged);
    else over.after(dragged);
  });

  bench.addEventListener("drop", (event) => {
    if (dragged) event.preventDefault();
  });

  bench.addEventListener("dragend", () => {
    if (!dragged) return;
    dragged.classList.remove("wp-dragged");
    dragged = null;
    saveSoon();
  });

  // --- nothing is lost, nothing is stale ------------------------------------------------------------------------

  // An order that is still to be saved, or just being saved, is saved before another button counts on it.
  document.addEventListener("submit", (event) => {
    if (isSaved()) return;
    event.preventDefault();
    if (timer) saveNow();
    const { target, submitter } = event;
    saving.then((isDone) => { if (isDone) target.requestSubmit(submitter); });
  });

  const isTyping = () =>
    [...bench.querySelectorAll("input:not([type=hidden]), textarea")].some((field) => field.value !== field.defaultValue);

  const follow = async () => {
    if (!document.hidden && isSaved() && !dragged && !isTyping()) {
      try {
        const answer = await fetch(location.href);
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const now = page.getElementById("workbench");
        if (answer.ok && now && isSaved() && !dragged && !isTyping()) {
          const open = [...bench.querySelectorAll("details[open]")].length;
          if (!("awaited" in now.dataset)) return location.reload();
          if (!open) list()?.replaceWith(page.getElementById("sections") ?? list());
        }
      } catch {
        // The server is away for a moment; the next look will find it again.
      }
    }
    setTimeout(follow, INTERVAL);
  };

  if ("awaited" in bench.dataset) setTimeout(follow, INTERVAL);
})();
