// Improvements that need JavaScript beyond htmx. The pages work without all of them.
(() => {
  const remember = (name, value) => {
    // The names are those of settings.py.
    const [prefix, secure] = location.protocol === "https:" ? ["__Host-", "; Secure"] : ["", ""];
    document.cookie = `${prefix}${name}=${value}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
  };

  // The server shows times in this time zone.
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
      // Without TLS there is no clipboard: select the text, so that Ctrl+C copies it.
      const text = button.parentElement.querySelector("code, input");
      if (text) getSelection().selectAllChildren(text);
      return;
    }
    button.dataset.copied = "";
    setTimeout(() => delete button.dataset.copied, 1500);
  });

  // Fragments bring the connection's status if the page shows another one.
  document.addEventListener("htmx:configRequest", (event) => {
    const status = document.getElementById("connection-status")?.dataset.status;
    if (status) event.detail.headers["X-Connection-Status"] = status;
    if (document.getElementById("connection-strip")) event.detail.headers["X-Connection-Strip"] = "shown";
  });

  // The next request that a person starts removes old error notices. Success notices stay.
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (!event.detail.requestConfig.triggeringEvent?.isTrusted) return;
    for (const failure of document.querySelectorAll("#notices > [data-failure]")) failure.remove();
  });

  // An error notice replaces the notices before it: scroll to it.
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id === "notices") event.detail.target.scrollIntoView({ block: "nearest" });
  });
  document.addEventListener("htmx:sendError", () =>
    notice("Could not reach the console. Check your network connection and try again."),
  );
  // The person canceled, or this browser has no passkey for the console.
  document.addEventListener("allauth.error", (event) => {
    event.preventDefault();
    notice("No passkey was used. You canceled, or this device has no passkey for this site. Try again or use your password.");
  });
  document.addEventListener("htmx:timeout", () => notice("The console took too long to respond. Try again."));
})();
