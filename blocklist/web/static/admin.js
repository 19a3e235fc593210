// What helps but is not needed: every page does the same without it.
"use strict";

// A run that is under way: its stage, asked every second, and the page anew once it has ended.
for (const box of document.querySelectorAll("[data-progress]")) {
  const said = box.querySelector("[data-said]");
  const bar = box.querySelector("progress");
  const look = async () => {
    try {
      const answer = await fetch(box.dataset.progress, { headers: { Accept: "application/json" } });
      if (!answer.ok) return;
      const run = await answer.json();
      if (run.ended) return location.reload();
      if (said.textContent !== run.said) said.textContent = run.said;
      bar.max = run.stages;
      bar.value = run.stage;
    } catch { /* The service restarts: the next look may find it. */ }
    setTimeout(look, 1000);
  };
  setTimeout(look, 500);
}

// A form that was sent is not sent twice, and says what it waits for.
for (const form of document.forms) {
  form.addEventListener("submit", (event) => {
    if (form.method !== "post") return;
    if (form.dataset.sent) return event.preventDefault();
    form.dataset.sent = "yes";
    if (form.dataset.busy && event.submitter) event.submitter.textContent = form.dataset.busy;
  });
}
addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
