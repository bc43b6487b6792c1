// The queue while it is open: what is new is told, not thrown in; a decision can be undone for a few seconds.
(() => {
  "use strict";
  const EVERY = 5000;
  let etag = "";

  const bar = () => document.getElementById("wp-new");
  const rows = () => [...document.querySelectorAll("#result_list .data-row")];
  const numberOf = (row) => row.querySelector("input[name^=revision-]")?.name.slice("revision-".length);

  const address = () => {
    const { live, stage, channel, since } = bar().dataset;
    const asked = new URLSearchParams({ stage, since, rows: rows().map(numberOf).filter(Boolean).join(",") });
    if (channel) asked.set("channel__id__exact", channel);
    return `${live}?${asked}`;
  };

  // A row keeps its place whatever becomes of it; only its words change.
  const tell = (row, news) => {
    const why = row.querySelector(".field-why"), out = row.querySelector(".field-goes_out");
    if (why) why.innerHTML = news.why;
    if (out) out.textContent = news.goes_out;
    row.classList.toggle("wp-left", news.left);
    const changed = row.querySelector("input[name^=revision-]").value !== String(news.revision);
    row.classList.toggle("wp-changed", changed && !news.left);
  };

  const show = (answer) => {
    for (const count of document.querySelectorAll("[data-stage].wp-tab-count")) count.textContent = answer.tabs[count.dataset.stage];
    for (const row of rows()) if (answer.rows[numberOf(row)]) tell(row, answer.rows[numberOf(row)]);
    bar().textContent = answer.told;
    bar().hidden = answer.new === 0;
  };

  const look = async () => {
    if (document.hidden || !bar()) return;
    try {
      const answer = await fetch(address(), { headers: etag ? { "If-None-Match": etag } : {} });
      if (answer.status !== 200 || answer.redirected) return;
      etag = answer.headers.get("ETag") ?? "";
      show(await answer.json());
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // the server is away for a moment: asked again in a few seconds
    }
  };

  // The rows are taken from a fresh page; what was selected stays so. An empty list has no place for rows yet.
  const renew = async (event) => {
    const table = document.getElementById("result_list");
    if (!table) return;
    event.preventDefault();
    const answer = await fetch(bar().href);
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const bodies = fresh.querySelectorAll("#result_list > tbody");
    if (!bodies.length) return location.reload();
    const selected = new Set([...table.querySelectorAll("input.action-select:checked")].map((box) => box.value));
    for (const body of table.querySelectorAll(":scope > tbody")) body.remove();
    table.append(...bodies);
    const boxes = table.querySelectorAll("tr input.action-select");
    for (const box of boxes) box.checked = selected.has(box.value);
    const counter = document.querySelector(".action-counter");
    if (counter) counter.dataset.actionsIcnt = boxes.length;
    window.Actions?.(boxes, { parent: table.closest(".result-list-wrapper") });
    document.querySelector(".wp-stages").replaceWith(fresh.querySelector(".wp-stages"));
    bar().dataset.since = fresh.getElementById("wp-new").dataset.since;
    bar().hidden = true;
    etag = "";
  };

  const countDown = (toast) => {
    const left = toast.querySelector(".wp-toast-left");
    let seconds = Number(toast.dataset.seconds);
    const tick = () => {
      if (seconds <= 0) return toast.remove();
      left.textContent = ` ${seconds}`;
      seconds -= 1;
      setTimeout(tick, 1000);
    };
    tick();
  };

  document.addEventListener("DOMContentLoaded", () => {
    const toast = document.querySelector(".wp-toast");
    if (toast) {
      toast.classList.add("wp-toast-floats");
      countDown(toast);
    }
    if (!bar()) return;
    bar().addEventListener("click", renew);
    setInterval(look, EVERY);
    document.addEventListener("visibilitychange", look);
  });
})();
