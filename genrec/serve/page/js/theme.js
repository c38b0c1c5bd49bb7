// Not a module: it runs before the first paint, so that a chosen theme does not flash.
"use strict";
(() => {
  const THEMES = ["system", "light", "dark"];
  let theme = "system";
  try {
    const kept = localStorage.getItem("genrec-theme");
    if (THEMES.includes(kept)) theme = kept;
  } catch {
    // Storage is forbidden here: the system's theme it is.
  }
  const apply = () => {
    document.documentElement.dataset.theme = theme;
    const button = document.getElementById("theme-button");
    if (button) button.textContent = `Theme: ${theme}`;
  };
  apply();
  document.addEventListener("DOMContentLoaded", () => {
    apply();
    document.getElementById("theme-button").addEventListener("click", () => {
      theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
      try {
        localStorage.setItem("genrec-theme", theme);
      } catch {
        // It lasts as long as the page.
      }
      apply();
    });
  });
})();
