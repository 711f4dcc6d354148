// What the pages gain from JavaScript beyond htmx. Everything here has a way that works without it.
(() => {
  const remember = (name, value) => {
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `${name}=${value}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
  };

  // Times are written by the server in the zone that this cookie names.
  remember("timezone", Intl.DateTimeFormat().resolvedOptions().timeZone);

  const chooseTheme = (choice) => {
    remember("theme", choice);
    document.documentElement.dataset.themeChoice = choice;
    for (const button of document.querySelectorAll("[data-theme-switch] button")) {
      button.setAttribute("aria-pressed", String(button.value === choice));
    }
  };
  document.addEventListener("submit", (event) => {
    if (event.target.matches("[data-theme-switch]") && event.submitter) {
      event.preventDefault();
      chooseTheme(event.submitter.value);
    }
  });

  const notice = (text) => {
    const box = document.createElement("div");
    box.className = "alert alert-danger";
    box.dataset.failure = "";
    box.textContent = text;
    document.getElementById("notices")?.replaceChildren(box);
  };

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
    } catch {
      // No clipboard on a page without TLS: select the text, so that Ctrl+C copies it.
      const text = button.parentElement.querySelector("code, input");
      if (text) getSelection().selectAllChildren(text);
      return;
    }
    button.dataset.copied = "";
    setTimeout(() => delete button.dataset.copied, 1500);
  });

  // What failed before is no longer news once the person does something else; what succeeded stays.
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (!event.detail.requestConfig.triggeringEvent?.isTrusted) return;
    for (const failure of document.querySelectorAll("#notices > [data-failure]")) failure.remove();
  });

  // An error notice replaces whatever notice stood there, and comes into view.
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id === "notices") event.detail.target.scrollIntoView({ block: "nearest" });
  });
  document.addEventListener("htmx:sendError", () =>
    notice("The console could not be reached. Check your network connection, then try again."),
  );
  // A passkey that the person cancelled, or that this browser does not have.
  document.addEventListener("allauth.error", (event) => {
    event.preventDefault();
    notice("The passkey was not used: it was cancelled, or there is none for this site. Try again, or use your password.");
  });
  document.addEventListener("htmx:timeout", () => notice("The console took too long to answer. Try again."));
})();
