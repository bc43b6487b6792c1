// Scheduled posts are dragged to another slot or day. Whoever drags nothing opens the post and types the time.
(() => {
  "use strict";
  const calendar = document.getElementById("wp-calendar");
  if (!calendar) return;
  const told = document.getElementById("wp-calendar-told");
  let dragged = null;

  const place = (event) => event.target.closest("[data-slot], [data-day]");

  const complain = (problem) => {
    told.textContent = problem;
    told.hidden = false;
    told.scrollIntoView({ block: "nearest" });
  };

  const move = async (post, { slot, day }) => {
    const body = new FormData();
    body.set("csrfmiddlewaretoken", calendar.querySelector("[name=csrfmiddlewaretoken]").value);
    body.set("publication", post.dataset.publication);
    body.set("revision", post.dataset.revision);
    if (slot) body.set("slot", slot);
    if (day) body.set("day", day);
    try {
      const answer = await fetch(calendar.dataset.move, { method: "POST", body, headers: { Accept: "application/json" } });
      const { problem } = await answer.json();
      if (problem) return complain(problem);
      location.reload();
    } catch (error) {
      if (!(error instanceof TypeError || error instanceof SyntaxError)) throw error;
      complain(calendar.dataset.failed);
    }
  };

  calendar.addEventListener("dragstart", (event) => {
    dragged = event.target.closest("[data-publication]");
    if (!dragged) return;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", dragged.dataset.publication);
    calendar.classList.add("wp-dragging");
  });
  calendar.addEventListener("dragover", (event) => {
    if (!dragged || !place(event)) return;
    event.preventDefault();
    place(event).classList.add("wp-over");
  });
  calendar.addEventListener("dragleave", (event) => place(event)?.classList.remove("wp-over"));
  calendar.addEventListener("drop", (event) => {
    const target = place(event);
    if (!dragged || !target) return;
    event.preventDefault();
    if (!target.contains(dragged)) move(dragged, target.dataset);
  });
  calendar.addEventListener("dragend", () => {
    dragged = null;
    calendar.classList.remove("wp-dragging");
    for (const one of calendar.querySelectorAll(".wp-over")) one.classList.remove("wp-over");
  });
})();
