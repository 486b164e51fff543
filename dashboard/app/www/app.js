// What Shiny's own client has no part for: native date fields, light and dark, the language switch, a lost connection.
(() => {
  const root = document.documentElement;

  const storedTheme = () => {
    try {
      return localStorage.getItem("theme");
    } catch {
      return null; // storage can be switched off
    }
  };

  const systemDark = matchMedia("(prefers-color-scheme: dark)");
  const theme = () => storedTheme() ?? (systemDark.matches ? "dark" : "light");

  const showTheme = () => {
    root.dataset.theme = theme();
    document.querySelector("button.theme")?.setAttribute("aria-pressed", String(theme() === "dark"));
  };

  const switchTheme = () => {
    const next = theme() === "dark" ? "light" : "dark";
    try {
      localStorage.setItem("theme", next);
      showTheme();
    } catch {
      root.dataset.theme = next;
    }
  };

  const switchLanguage = (lang) => {
    const address = new URL(location.href);
    address.searchParams.set("lang", lang);
    location.assign(address);
  };

  // A filter is shown on the tabs it acts on.
  const showFilters = (tab) => {
    for (const box of document.querySelectorAll(".only[data-tabs]")) {
      box.hidden = !box.dataset.tabs.split(" ").includes(tab);
    }
  };

  // Bootstrap 3's tabs, which Shiny speaks, tell a screen reader nothing and do not know the arrow keys.
  const describeTabs = (list) => {
    const tabs = [...list.querySelectorAll("a[data-value]")];
    list.setAttribute("role", "tablist");
    for (const tab of tabs) {
      tab.parentElement.setAttribute("role", "presentation");
      tab.setAttribute("role", "tab");
      tab.id = `tab-${tab.dataset.value}`;
      const panel = document.querySelector(tab.getAttribute("href"));
      panel.setAttribute("role", "tabpanel");
      panel.setAttribute("aria-labelledby", tab.id);
      tab.setAttribute("aria-controls", panel.id);
    }
    list.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (step === undefined) return;
      event.preventDefault();
      const next = tabs[(tabs.indexOf(event.target) + step + tabs.length) % tabs.length];
      next.focus();
      next.click();
    });
  };

  const markTab = (name) => {
    for (const tab of document.querySelectorAll("#tab a[data-value]")) {
      const front = tab.dataset.value === name;
      tab.setAttribute("aria-selected", String(front));
      tab.tabIndex = front ? 0 : -1;
    }
  };

  const registerDays = () => {
    class DayBinding extends Shiny.InputBinding {
      find(scope) {
        return $(scope).find("input.day-input");
      }
      getValue(element) {
        return element.value;
      }
      subscribe(element, changed) {
        $(element).on("change.day", () => changed(false));
      }
      unsubscribe(element) {
        $(element).off(".day");
      }
      receiveMessage(element, message) {
        element.value = message.value;
        $(element).trigger("change");
      }
    }
    Shiny.inputBindings.register(new DayBinding(), "dashboard.day");
  };

  showTheme();
  systemDark.addEventListener("change", showTheme);

  document.addEventListener("DOMContentLoaded", () => {
    showTheme();
    registerDays();
    describeTabs(document.querySelector("#tab"));
    const front = document.querySelector("#tab .active [data-value], #tab .active[data-value]").dataset.value;
    showFilters(front);
    markTab(front);
    document.querySelector("button.theme").addEventListener("click", switchTheme);
    for (const button of document.querySelectorAll("button.language")) {
      button.addEventListener("click", () => switchLanguage(button.dataset.lang));
    }
    $(document).on("shiny:inputchanged", (event) => {
      if (event.name !== "tab") return;
      showFilters(event.value);
      markTab(event.value);
    });
    $(document).on("shiny:disconnected", () => {
      document.querySelector(".lost").hidden = false;
    });
  });
})();
