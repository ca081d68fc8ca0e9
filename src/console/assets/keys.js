// Keys: `/` finds, `g` and a letter goes to a part, `j` and `k` go along the rows, `?` lists them.

const GO_MS = 1200;

function typing(target) {
  return target.closest("input, textarea, select, [contenteditable]") !== null;
}

function along(step) {
  const links = [...document.querySelectorAll("tr[data-row] .name a, tr[data-row] .why a, li[data-row] a")];
  if (links.length === 0) return;
  const here = links.indexOf(document.activeElement);
  const next = here < 0 ? (step > 0 ? 0 : links.length - 1) : here + step;
  links[Math.min(Math.max(next, 0), links.length - 1)].focus();
}

export function keys() {
  let went = 0;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target instanceof Element ? event.target : document.body;
    if (typing(target)) {
      if (event.key === "Escape") target.blur();
      return;
    }
    if (went && event.timeStamp - went < GO_MS) {
      went = 0;
      const link = document.querySelector(`a[data-go="${CSS.escape(event.key)}"]`);
      if (link) {
        event.preventDefault();
        link.click();
      }
      return;
    }
    switch (event.key) {
      case "/":
        event.preventDefault();
        document.querySelector("[data-find]")?.focus();
        break;
      case "g":
        went = event.timeStamp;
        break;
      case "j":
        along(1);
        break;
      case "k":
        along(-1);
        break;
      case "?":
        document.getElementById("keys")?.showModal();
        break;
    }
  });
}
