// Where all begins. What goes wrong is said on the page, and marked for who tests it.

function failed(why) {
  document.documentElement.dataset.error = String(why);
  find("failed").textContent = `The plots could not be drawn: ${why}`;
  find("failed").hidden = false;
}

window.addEventListener("error", (event) => failed(event.message));
document.addEventListener("securitypolicyviolation", (event) => failed(`${event.violatedDirective} was refused`));
for (const part of document.querySelectorAll("[data-live]")) part.hidden = false;
if (find("log")) filterLog();
if (series.length > 0) {
  axes();
  choose();
  handle();
  window.addEventListener("resize", again);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
  again();
} else {
  document.documentElement.dataset.drawn = "0";
}
