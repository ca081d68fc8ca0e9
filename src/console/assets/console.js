// What a page needs no script for works without; this makes it quicker.
import { live } from "./live.js";
import { keys } from "./keys.js";

const said = document.getElementById("said");

// Buttons that copy a command show only where they can.
function copy() {
  if (!navigator.clipboard) return;
  document.documentElement.classList.add("copies");
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button[data-copy]");
    if (!button) return;
    const words = button.textContent;
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = "Copied";
    said.textContent = "Copied: " + button.dataset.copy;
    setTimeout(() => (button.textContent = words), 1500);
  });
}

const UNITS = [[86400000, "d"], [3600000, "h"], [60000, "min"], [1000, "s"]];

function rough(ms) {
  for (const [size, unit] of UNITS) {
    if (ms >= 2 * size || (ms >= size && unit === "s")) return Math.floor(ms / size) + " " + unit;
  }
  return Math.floor(ms) + " ms";
}

// Times that are told from now stay true while the page is open.
function tick() {
  const now = Date.now();
  for (const time of document.querySelectorAll("time[datetime]")) {
    if (!/ago$|^in |^now$/.test(time.textContent)) continue;
    const away = Date.parse(time.dateTime) - now;
    const words = away > 0 ? "in " + rough(away) : away > -1000 ? "now" : rough(-away) + " ago";
    if (words !== time.textContent) time.textContent = words;
  }
}

copy();
keys();
live(tick);
setInterval(tick, 1000);
