// Brings the parts of a page up to date that say `data-live`: when something happens, the page is
// asked for again, and what has changed of those parts is put in place. So there is one way to
// make a page, and what is read along here is read with the same rights.

// The least time between two looks, so that a busy system costs a page little: of a page on one
// instance, and of one on many.
const PAUSE_ONE_MS = 250;
const PAUSE_MANY_MS = 1000;
// Without word of what happens, a page looks by itself.
const QUIET_MS = 5000;

let wanted = false;
let busy = false;
let pause = PAUSE_MANY_MS;
let last = 0;

async function look(then) {
  if (busy || document.hidden) return;
  const wait = pause - (Date.now() - last);
  if (wait > 0) {
    setTimeout(() => look(then), wait);
    return;
  }
  busy = true;
  wanted = false;
  last = Date.now();
  try {
    const answer = await fetch(location.href, { headers: { accept: "text/html" } });
    // The session is over: the page becomes the form, unless somebody is writing on it.
    if (answer.status === 401 && !document.querySelector("details[open]")) location.reload();
    if (answer.ok) place(new DOMParser().parseFromString(await answer.text(), "text/html"));
    then();
  } catch {
    // The server is away; the next look asks again.
  }
  busy = false;
  if (wanted) look(then);
}

function place(fresh) {
  for (const old of document.querySelectorAll("[data-live]")) {
    const made = fresh.getElementById(old.id);
    if (!made || made.isEqualNode(old)) continue;
    // What somebody is just using is not taken from under their hands: a form that is open, a text
    // that is marked, a row that is pointed at and would move.
    if (old.querySelector("details[open]") || selected(old)) continue;
    if (old.matches(":hover") && old.querySelector("[data-row]")) continue;
    change(old, made);
  }
}

// Makes a part like another one and keeps its elements, so that no click and no focus is lost.
function change(old, made) {
  if (old.nodeName !== made.nodeName) {
    old.replaceWith(made);
    return;
  }
  if (!(old instanceof Element)) {
    if (old.data !== made.data) old.data = made.data;
    return;
  }
  for (const { name, value } of made.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  for (const name of old.getAttributeNames()) {
    if (!made.hasAttribute(name)) old.removeAttribute(name);
  }
  const [had, has] = [[...old.childNodes], [...made.childNodes]];
  has.forEach((child, place) => (place < had.length ? change(had[place], child) : old.append(child)));
  had.slice(has.length).forEach((child) => child.remove());
}

function selected(part) {
  const selection = getSelection();
  return selection && !selection.isCollapsed && part.contains(selection.anchorNode);
}

export function live(then) {
  if (!document.querySelector("[data-live]")) return;
  const note = () => {
    wanted = true;
    look(then);
  };
  const about = document.querySelector("[data-watch-key]");
  const which = new URLSearchParams();
  if (about) {
    pause = PAUSE_ONE_MS;
    which.set("saga", about.dataset.watchSaga);
    which.set("key", about.dataset.watchKey);
  }
  // A page that nobody looks at reads nothing along: there is room for few readers.
  let events = null;
  const follow = () => {
    if (document.hidden) {
      events?.close();
      events = null;
    } else if (!events) {
      events = new EventSource("/api/v1/live?" + which);
      events.addEventListener("transition", note);
    }
  };
  document.addEventListener("visibilitychange", () => {
    follow();
    if (!document.hidden) note();
  });
  addEventListener("pagehide", () => events?.close());
  follow();
  setInterval(() => Date.now() - last >= QUIET_MS && note(), QUIET_MS);
}
