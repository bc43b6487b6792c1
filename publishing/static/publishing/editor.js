// An offered text is put into the field at once; what was typed before comes back with Ctrl+Z.
(() => {
  "use strict";
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[name=_take]");
    const field = document.querySelector("#publication-form textarea[name=text]");
    if (!button || !field) return;
    event.preventDefault();
    const offered = button.parentElement.querySelector("template").content.textContent;
    field.focus();
    field.select();
    // The only way that keeps the browser's own undo.
    if (!document.execCommand("insertText", false, offered)) field.value = offered;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });

  // Leaving with something unsaved is asked about.
  let isChanged = false;
  const form = document.getElementById("publication-form");
  form?.addEventListener("input", () => { isChanged = true; });
  form?.addEventListener("submit", () => { isChanged = false; });
  window.addEventListener("beforeunload", (event) => { if (isChanged) event.preventDefault(); });

  // What was typed before the page was ready, or what the browser kept while it was loaded again, is shown, too.
  window.addEventListener("load", () => {
    for (const field of form?.querySelectorAll("input:not([type=hidden]), textarea") ?? [])
      if (field.value !== field.defaultValue) field.dispatchEvent(new Event("input", { bubbles: true }));
  });
})();
