// What ipywidgets leaves out for the keyboard and for screen readers, in all that stands in the
// same cell's output: names of sliders, menus and buttons, pages that open with Enter or Space,
// and a focus that stays on a button while it is disabled.

const PAGE = ".jupyter-widget-Collapse-header";
const ICONS = { "fa-play": "play", "fa-pause": "pause", "fa-stop": "stop", "fa-retweet": "repeat" };

function name(element, text) {
  if (text && element.getAttribute("aria-label") !== text) {
    element.setAttribute("aria-label", text);
  }
}

function nameAll(root, words) {
  for (const slider of root.querySelectorAll(".widget-slider")) {
    const label = slider.querySelector(".widget-label")?.textContent;
    const handle = slider.querySelector("[role=slider]");
    const readout = slider.querySelector(".widget-readout");
    if (!handle || !readout) continue;
    name(handle, label);
    // The slider's own text is rounded, or the number of a choice instead of its name.
    if (handle.getAttribute("aria-valuetext") !== readout.textContent) {
      handle.setAttribute("aria-valuetext", readout.textContent);
    }
    readout.setAttribute("role", "textbox"); // a number can be typed there
    name(readout, label);
  }
  for (const bar of root.querySelectorAll(".widget-hprogress .progress")) {
    bar.setAttribute("role", "progressbar");
    bar.setAttribute("aria-valuenow", Math.round(parseFloat(bar.firstElementChild?.style.width)) || 0);
    name(bar, bar.title || bar.parentElement.title || words.progress);
  }
  for (const menu of root.querySelectorAll("select[title]")) {
    if (!menu.labels?.[0]?.textContent) name(menu, menu.title);
  }
  for (const icon of root.querySelectorAll(".widget-play button > i")) {
    const kind = Object.keys(ICONS).find((each) => icon.classList.contains(each));
    name(icon.parentElement, words[ICONS[kind]]);
  }
  for (const page of root.querySelectorAll(PAGE)) {
    const open = page.parentElement.classList.contains("jupyter-widget-Collapse-open");
    page.tabIndex = 0;
    page.setAttribute("role", "button");
    page.setAttribute("aria-expanded", open);
  }
}

// A disabled button loses the focus, and with it whoever came there by keyboard. Instead, it looks
// disabled and does nothing.
function hold(button) {
  button.disabled = false;
  button.setAttribute("aria-disabled", "true");
  button.style.opacity = "var(--jp-widgets-disabled-opacity, 0.6)";
}

function release(button) {
  button.removeAttribute("aria-disabled");
  button.style.removeProperty("opacity");
}

function attend(root, words, signal) {
  function update(records) {
    nameAll(root, words);
    const held = new Set();
    for (const { type, target } of records) {
      if (target.tagName !== "BUTTON" || held.has(target)) continue;
      if (target.disabled && target === document.activeElement) {
        hold(target);
        held.add(target);
      } else if (type === "childList" && !target.disabled) {
        release(target); // ipywidgets has written it anew, and did not disable it
      }
    }
  }

  function listen(to, kind, action) {
    to.addEventListener(kind, action, { signal, capture: true });
  }

  listen(root, "click", (event) => {
    if (event.target.closest("[aria-disabled=true]")) event.stopImmediatePropagation();
  });
  listen(root, "keydown", (event) => {
    if (event.target.matches(PAGE) && ["Enter", " "].includes(event.key)) {
      event.preventDefault();
      event.target.click();
    }
  });
  // JupyterLab takes plain keys for itself, Enter among them, unless this attribute is there.
  listen(window, "keydown", (event) => {
    const own = event.ctrlKey || event.metaKey || event.altKey || event.shiftKey;
    if (root.contains(event.target)) root.toggleAttribute("data-lm-suppress-shortcuts", !own);
  });
  const watcher = new MutationObserver(update);
  const attributeFilter = ["aria-valuetext", "class", "disabled", "title"];
  watcher.observe(root, { subtree: true, childList: true, attributeFilter });
  signal.addEventListener("abort", () => watcher.disconnect());
  update([]);
}

function render({ model, el }) {
  el.style.display = "none";
  const ended = new AbortController();
  const waiting = setInterval(() => {
    // Until its parent is on the page, there is nothing to look at.
    if (!el.isConnected) return;
    clearInterval(waiting);
    const root = el.closest(".jp-OutputArea-output") ?? el.parentElement;
    attend(root, model.get("words"), ended.signal);
  }, 50);
  return () => {
    clearInterval(waiting);
    ended.abort();
  };
}

export default { render };
