// Thumbnails, one of them chosen: radio buttons with pictures on them. Arrow keys choose, and a
// double click says that this is the one to paint.

const KEYS = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 };

function render({ model, el }) {
  listen(model);
  el.classList.add("stylelib-thumbnails");
  const suppress = () => el.setAttribute("data-lm-suppress-shortcuts", true); // arrows choose here
  suppress();

  function choose(name) {
    model.set("value", name);
    model.save_changes();
  }

  function button(name, index) {
    const made = document.createElement("button");
    const caption = model.get("captions")[index];
    Object.assign(made, { type: "button", title: caption });
    made.setAttribute("role", "radio");
    made.setAttribute("aria-label", caption);
    made.dataset.name = name;
    made.style.backgroundImage = `url(${model.get("pictures")[index]})`;
    made.addEventListener("click", () => choose(name));
    made.addEventListener("dblclick", () => model.send({ twice: name }));
    return made;
  }

  function draw() {
    const focused = el.contains(document.activeElement) && document.activeElement.dataset.name;
    const [width, height] = model.get("size");
    el.setAttribute("role", "radiogroup");
    el.setAttribute("aria-label", model.get("label"));
    el.style.setProperty("--width", `${width}px`);
    el.style.setProperty("--height", `${height}px`);
    el.replaceChildren(...model.get("names").map(button));
    mark();
    if (focused) [...el.children].find((child) => child.dataset.name === focused)?.focus();
  }

  function mark() {
    const [chosen, all] = [model.get("value"), [...el.children]];
    const stop = all.find((child) => child.dataset.name === chosen) ?? all[0]; // for the Tab key
    for (const child of all) {
      child.setAttribute("aria-checked", child.dataset.name === chosen);
      child.tabIndex = child === stop ? 0 : -1;
    }
  }

  el.addEventListener("keydown", (event) => {
    if (event.key === "Control" || event.key === "Meta") {
      el.removeAttribute("data-lm-suppress-shortcuts"); // Ctrl S saves the notebook
    }
    const all = [...el.children];
    const at = all.indexOf(document.activeElement);
    if (!(event.key in KEYS) || at < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    const next = all[(at + KEYS[event.key] + all.length) % all.length];
    next.focus();
    choose(next.dataset.name);
  });
  el.addEventListener("keyup", suppress);

  const [looks, value] = ["change:names change:captions change:pictures change:label", "change:value"];
  model.on(looks, draw);
  model.on(value, mark);
  draw();
  return () => {
    model.off(looks, draw);
    model.off(value, mark);
  };
}

export default { render };
