// Keyboard shortcuts of the user search, and its progress for assistive technology.
(() => {
  const search = () => document.getElementById("id_q");
  const rows = () => [...document.querySelectorAll("#results tbody a")];
  const typing = (element) => element?.matches("input, textarea, select, [contenteditable]");

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const at = rows().indexOf(document.activeElement);
    if (event.key === "/" && !typing(document.activeElement)) {
      event.preventDefault();
      document.getElementById("find-another")?.click();
      search()?.focus();
      search()?.select();
    } else if (event.key === "ArrowDown" && rows().length && (at >= 0 || document.activeElement === search())) {
      event.preventDefault();
      rows()[Math.min(at + 1, rows().length - 1)].focus();
    } else if (event.key === "ArrowUp" && at >= 0) {
      event.preventDefault();
      (at === 0 ? search() : rows()[at - 1]).focus();
    }
  });

  // A box in the heading ticks those of all rows.
  document.addEventListener("change", (event) => {
    const name = event.target.dataset?.ticks;
    if (name) for (const box of document.querySelectorAll(`input[type=checkbox][name="${name}"]`)) box.checked = event.target.checked;
  });

  // The verdict above a user's page follows what the other parts of the page know, in whatever order they come.
  const known = () => [...document.querySelectorAll(".known")].map((part) => part.name + part.value).join();
  let told = known();
  document.addEventListener("htmx:afterSettle", () => {
    const verdict = document.getElementById("verdict");
    if (!verdict || known() === told) return;
    told = known();
    htmx.trigger(verdict, "known");
  });

  // What a panel knew before an action is no longer known once the panel is asked again.
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.target.matches(".user-panel")) for (const part of event.target.querySelectorAll(".known")) part.remove();
  });

  // A panel without an answer must not hide those below it.
  for (const failure of ["htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(failure, (event) => event.target.classList.remove("user-panel-awaited"));
  }

  // Enter, unlike typing, opens the only user who matches.
  document.addEventListener("htmx:configRequest", (event) => {
    if (event.target.id === "search" && event.detail.triggeringEvent?.type === "submit") event.detail.parameters.entered = "1";
  });

  const busy = (event, value) => {
    const target = event.detail.target;
    if (target?.id === "results") target.setAttribute("aria-busy", value);
  };
  // The rows of the search before are not to be opened by mouse or keyboard while the next ones are on their way.
  document.addEventListener(
    "click",
    (event) => {
      if (!event.target.closest('#results[aria-busy="true"]')) return;
      event.preventDefault();
      event.stopPropagation();
    },
    { capture: true },
  );
  document.addEventListener("htmx:beforeSend", (event) => busy(event, "true"));
  document.addEventListener("htmx:afterRequest", (event) => busy(event, "false"));
  document.addEventListener("htmx:afterSettle", () => {
    for (const name of ["q", "filter"]) {
      const wrong = document.querySelector(`#${name}-errors li`) !== null;
      document.getElementById(`id_${name}`)?.setAttribute("aria-invalid", String(wrong));
    }
  });
})();
