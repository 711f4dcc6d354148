// A busy sign from the moment a person presses a button or follows a link: PingOne may take seconds.
(() => {
  const BUSY = "aria-busy";
  const setBusy = (control) => control?.setAttribute(BUSY, "true");
  const LONGEST_MS = 15_000; // a page takes ten seconds at most, and a download leaves this page as it is
  const rest = () => {
    document.documentElement.removeAttribute("data-busy");
    for (const control of document.querySelectorAll(`:is(a, button)[${BUSY}]`)) control.removeAttribute(BUSY);
  };
  const goOn = () => {
    document.documentElement.dataset.busy = "";
    setTimeout(rest, LONGEST_MS);
  };

  // htmx: the pressed button or link, until its answer is here.
  const pressed = ({ requestConfig: { elt, triggeringEvent } }) => {
    if (triggeringEvent?.type === "submit") return triggeringEvent.submitter ?? elt.querySelector("button");
    return triggeringEvent?.type === "click" ? elt : null;
  };
  document.addEventListener("htmx:beforeSend", (event) => setBusy(pressed(event.detail)));
  document.addEventListener("htmx:afterRequest", (event) => {
    pressed(event.detail)?.removeAttribute(BUSY);
    if (event.detail.xhr?.getResponseHeader("HX-Redirect")) goOn();
  });

  // Another page: the button, and a bar above the page.
  document.addEventListener("submit", (event) => {
    if (event.defaultPrevented) return;
    setBusy(event.submitter);
    goOn();
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]");
    const isAside = event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey;
    if (!link || isAside || link.target || link.hasAttribute("download")) return;
    const isHere = link.origin === location.origin && link.pathname === location.pathname && link.search === location.search;
    if (link.origin !== location.origin || (isHere && link.hash)) return;
    setBusy(link);
    goOn();
  });
  addEventListener("pageshow", rest);
})();
