// The focus: it never falls to the body of the page. Opened forms take it and give it back; Escape closes them.
(() => {
  const OWN = new Set(["csrfmiddlewaretoken", "submission", "typed_by"]); // inputs that change with every response
  const FIELDS = "input:not([type=hidden]), select, textarea";

  // What a control does. A control that is rendered again does the same.
  const deed = (element) => {
    const hidden = [...(element.form?.elements ?? [])].filter((field) => field.type === "hidden" && !OWN.has(field.name));
    const values = hidden.map((field) => `${field.name}=${field.value}`);
    const address = element.getAttribute("href") ?? element.form?.getAttribute("action");
    return [element.localName, element.id, element.name, address, ...values].join("\n");
  };
  const placesAround = (element) => {
    const ids = [];
    for (let at = element; at && at !== document.body; at = at.parentElement) if (at.id) ids.push(at.id);
    return ids;
  };
  const described = (element) => ({ element, deed: deed(element), around: placesAround(element) });

  const focus = (element, options = { preventScroll: true }) => {
    if (!element.matches("a, button, summary, input, select, textarea, [tabindex]")) element.tabIndex = -1;
    element.focus(options);
  };
  const isLost = () => !document.activeElement || document.activeElement === document.body;

  // Focus the control, or the one that replaced it, or the nearest part of the page that is still there.
  const focusAgain = (known, options) => {
    if (known.element.isConnected) focus(known.element, options);
    if (document.activeElement === known.element) return;
    const place = known.around.map((id) => document.getElementById(id)).find(Boolean);
    if (!place) return;
    const same = [...place.querySelectorAll("a[href], button, input, select, textarea, summary")].find(
      (control) => deed(control) === known.deed,
    );
    focus(same ?? place, options);
  };

  let last = null; // the control that had the focus last
  let opener = null; // the control that opened the form on the user's page
  document.addEventListener("focusin", (event) => {
    last = described(event.target);
  });

  // Forms: the server marks a heading or a field with autofocus; otherwise the first field gets the focus.
  const opened = () => document.querySelector("#action > .action-card");
  const cardIn = (target) => {
    const place = target?.id ? document.getElementById(target.id) : null;
    return place?.matches(".action-card") ? place : place?.querySelector(":scope > .action-card");
  };
  const focusCard = (card, { afresh }) => {
    const first = card.querySelector("[autofocus], form .alert") ?? (afresh && card.querySelector(`form :is(${FIELDS})`));
    if (first) focus(first, {});
  };

  const isTyped = (field) => {
    if (field.matches("select")) return [...field.options].some((option) => option.selected !== option.defaultSelected);
    if (field.matches("[type=checkbox], [type=radio]")) return field.checked !== field.defaultChecked;
    return field.value !== field.defaultValue;
  };
  const isUnsaved = (card) =>
    Boolean(card?.querySelector("[data-unsaved]")) || [...(card?.querySelectorAll(FIELDS) ?? [])].some(isTyped);
  const keepOpen = (card) => {
    const told = card.querySelector("[data-not-saved]");
    if (!told) return;
    told.textContent = told.dataset.notSaved;
    told.scrollIntoView({ block: "nearest" });
    if (!card.contains(document.activeElement)) focus(card);
  };
  const close = () => {
    document.getElementById("action").replaceChildren();
    if (opener) focusAgain(opener, {});
    if (isLost()) focus(document.getElementById("main"));
    opener = null;
  };

  document.addEventListener("click", (event) => {
    const link = event.target.closest("#action [data-closes]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    close();
  });
  document.addEventListener("keydown", (event) => {
    const card = opened() ?? document.querySelector(".action-card:has([data-closes])");
    const isMeantElsewhere = (event.target.type === "search" && event.target.value) || document.querySelector(":popover-open");
    if (event.key !== "Escape" || event.defaultPrevented || !card || isMeantElsewhere) return;
    event.preventDefault();
    if (isUnsaved(card)) keepOpen(card);
    else card.querySelector("[data-closes]").click();
  });

  // Buttons elsewhere on the page would replace the form: not while it holds unsaved input.
  document.addEventListener("htmx:beforeRequest", (event) => {
    const { elt, target } = event.detail;
    if (target?.id !== "action" || target.contains(elt)) return;
    const card = opened();
    if (isUnsaved(card)) {
      event.preventDefault();
      keepOpen(card);
      focus(card);
      return;
    }
    const control = elt.matches("form") ? elt.querySelector("button") : elt;
    opener = described(control);
  });

  let within = false; // whether the focus was inside the form that this swap replaces
  document.addEventListener("htmx:beforeSwap", (event) => {
    within = Boolean(event.detail.target?.contains(document.activeElement));
  });
  const settle = (event) => {
    const { target, requestConfig } = event.detail;
    const card = cardIn(target);
    const isAnswer = card && requestConfig?.triggeringEvent?.type !== "input";
    if (isAnswer && (isLost() || within || target.id === "action") && !card.contains(document.activeElement)) {
      focusCard(card, { afresh: target.id === "action" });
    }
    if (isLost() && last && !last.element.isConnected) focusAgain(last);
  };
  document.addEventListener("htmx:afterSwap", settle);
  document.addEventListener("htmx:afterSettle", settle);

  // After an action: the part of the page that it changed.
  document.addEventListener("part-changed", (event) => {
    const part = document.getElementById(event.detail.part);
    if (part) focus(part);
  });

  // A page that opens with a notice, for instance after Undo, begins there.
  document.addEventListener("DOMContentLoaded", () => {
    const notices = document.getElementById("notices");
    if (isLost() && !document.querySelector("[autofocus]") && notices?.querySelector(".alert")) focus(notices);
  });
})();
