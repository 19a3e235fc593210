// Optional: every page works without this script.
"use strict";

// Polls the progress of a run every second, and reloads the page when the run has ended.
for (const box of document.querySelectorAll("[data-progress]")) {
  const message = box.querySelector("[data-message]");
  const bar = box.querySelector("progress");
  const poll = async () => {
    try {
      const answer = await fetch(box.dataset.progress, { headers: { Accept: "application/json" } });
      if (!answer.ok) return;
      const run = await answer.json();
      if (run.ended) return location.reload();
      if (message.textContent !== run.message) message.textContent = run.message;
      bar.max = run.stages;
      bar.value = run.stage;
    } catch { /* The service may be restarting: try again. */ }
    setTimeout(poll, 1000);
  };
  setTimeout(poll, 500);
}

// Prevents a second submit of a form, and shows what is in progress.
for (const form of document.forms) {
  form.addEventListener("submit", (event) => {
    if (form.method !== "post") return;
    if (form.dataset.sent) return event.preventDefault();
    form.dataset.sent = "yes";
    if (form.dataset.busy && event.submitter) event.submitter.textContent = form.dataset.busy;
  });
}
addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
